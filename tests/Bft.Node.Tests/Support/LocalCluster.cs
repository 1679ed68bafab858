using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Storage;

namespace Bft.Node.Tests.Support;

/// <summary>Four witnesses on 127.0.0.1 with real keys, real TLS and real disks, in one directory that goes away.</summary>
public sealed class LocalCluster : IAsyncDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("bft-node-").FullName;
    private readonly RunningWitness?[] _running = new RunningWitness?[4];
    private readonly Ed25519Signer[] _signers;
    private readonly Ed25519Signer[] _clients = [NewSigner(), NewSigner(), NewSigner()];

    public LocalCluster(ClusterLimits? limits = null, bool hasSockets = false)
    {
        _signers = [.. Enumerable.Range(0, _running.Length).Select(_ => NewSigner())];
        int[] ports = FreePorts(_running.Length);
        WitnessEntry[] witnesses = [.. Enumerable.Range(0, _running.Length).Select(index => Prepare(index, ports[index]) with { Socket = hasSockets ? SocketOf(index) : null })];
        ClientEntry[] clients = [new("publisher", _clients[0].PublicKey), new("reader", _clients[1].PublicKey)];
        ClusterFile cluster = NewCluster.Create("test", new byte[Genesis.NonceLength], witnesses, clients, limits ?? ClusterLimits.Default);
        string yaml = cluster.ToYaml();
        System.IO.File.WriteAllText(ClusterPath, yaml[..yaml.IndexOf("topics:", StringComparison.Ordinal)]
            + "topics:\n  orders:\n    publish: [publisher]\n    read: [reader, publisher]\n  short:\n    publish: [publisher]\n    read: [reader]\n    retainBytes: 2500\n  \"plain.*\":\n    publish: [\"*\"]\n    read: [\"*\"]\n");
        File = ClusterFile.Load(ClusterPath);
    }

    /// <summary>Longer than any test takes on a slow machine; a test that waits so long has failed.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(90);

    public ClusterFile File { get; }

    public Committee Committee => File.Committee;

    public string ClusterPath => Path.Combine(_root, "cluster.yaml");

    public Ed25519Signer Publisher => _clients[0];

    public Ed25519Signer Reader => _clients[1];

    /// <summary>A key that cluster.yaml does not name.</summary>
    public Ed25519Signer Stranger => _clients[2];

    public static async Task<LocalCluster> StartedAsync(ClusterLimits? limits = null)
    {
        LocalCluster cluster = new(limits);
        for (int index = 0; index < cluster._running.Length; index++)
        {
            await cluster.StartAsync(index);
        }

        await cluster.AllAckAsync();
        return cluster;
    }

    public Ed25519Signer WitnessSigner(int index) => _signers[index];

    /// <summary>Where a witness's Unix socket is, in a cluster that has them.</summary>
    public string SocketOf(int index) => Path.Combine(_root, $"w{index}.sock");

    public string DataDirectory(int index) => Path.Combine(Home(index), "data");

    public NodeOptions OptionsOf(int index) => new()
    {
        ClusterFile = ClusterPath,
        KeyFile = Path.Combine(Home(index), "witness.key"),
        DataDirectory = DataDirectory(index),
    };

    /// <summary>Starts a witness and waits until it serves.</summary>
    public async Task<RunningWitness> StartAsync(int index, Func<NodeOptions, NodeOptions>? change = null)
    {
        NodeOptions options = OptionsOf(index);
        RunningWitness witness = new(change is null ? options : change(options));
        _running[index] = witness;
        await witness.Ready.WaitAsync(Patience);
        return witness;
    }

    /// <summary>W9: all witnesses that run have asked their peers, and ack.</summary>
    public Task AllAckAsync() => Task.WhenAll(_running.OfType<RunningWitness>().Select(witness => witness.WhenLogged("acks:")));

    public RunningWitness this[int index] => _running[index]!;

    public async Task StopAsync(int index)
    {
        await _running[index]!.DisposeAsync();
        _running[index] = null;
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_running.OfType<RunningWitness>().Select(witness => witness.DisposeAsync().AsTask()));
        foreach (Ed25519Signer signer in _signers.Concat(_clients))
        {
            signer.Dispose();
        }

        Directory.Delete(_root, recursive: true);
    }

    private static Ed25519Signer NewSigner() => new(RandomNumberGenerator.GetBytes(Ed25519Signer.SeedLength));

    private static int[] FreePorts(int count)
    {
        TcpListener[] listeners = [.. Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0))];
        foreach (TcpListener listener in listeners)
        {
            listener.Start();
        }

        int[] ports = [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        foreach (TcpListener listener in listeners)
        {
            listener.Dispose();
        }

        return ports;
    }

    private string Home(int index) => Path.Combine(_root, $"w{index}");

    private WitnessEntry Prepare(int index, int port)
    {
        byte[] seed = RandomNumberGenerator.GetBytes(Ed25519Signer.SeedLength);
        _signers[index].Dispose();
        _signers[index] = new Ed25519Signer(seed);
        KeyFile.Create(Path.Combine(Home(index), "witness.key"), seed);
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=bft", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddYears(10));
        KeyFile.WriteProtected(Path.Combine(Home(index), "tls.key"), Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()));
        System.IO.File.WriteAllText(Path.Combine(Home(index), "tls.crt"), certificate.ExportCertificatePem());
        return new WitnessEntry(
            new WitnessIndex(index),
            new Uri($"https://127.0.0.1:{port}"),
            _signers[index].PublicKey,
            Sha256.Hash(certificate.PublicKey.ExportSubjectPublicKeyInfo()));
    }
}
