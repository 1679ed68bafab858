using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Storage;

namespace Bft.Cli.Clusters;

/// <summary>Makes the folder of a new cluster: keys, TLS certificates, client identities, cluster.yaml. Never overwrites a file.</summary>
internal sealed class ClusterMaker
{
    /// <summary>RFC 5280, 4.1.2.5: no well-defined end. The pin decides, and a pinned key must not run out by itself.</summary>
    private static readonly DateTimeOffset NoEnd = new(9999, 12, 31, 23, 59, 59, TimeSpan.Zero);

    private readonly ClusterFolder _folder;
    private readonly List<string> _made = []; // files, in order

    private ClusterMaker(ClusterFolder folder) => _folder = folder;

    /// <param name="folder">Where to.</param>
    /// <param name="name">The cluster's.</param>
    /// <param name="addresses">One per witness: https://host:port.</param>
    /// <param name="clients">Names of the identities to make.</param>
    /// <param name="sockets">Where the witnesses have their Unix sockets; null: they have none.</param>
    /// <exception cref="CommandException">Something is there already.</exception>
    public static ClusterFile Make(ClusterFolder folder, string name, IReadOnlyList<Uri> addresses, IReadOnlyList<string> clients, Func<int, string>? sockets = null)
    {
        RefuseToOverwrite(folder, addresses.Count);
        ClusterMaker maker = new(folder);
        Directory.CreateDirectory(folder.Root);
        try
        {
            return maker.Make(name, addresses, clients, sockets);
        }
        catch
        {
            maker.Undo();
            throw;
        }
    }

    private ClusterFile Make(string name, IReadOnlyList<Uri> addresses, IReadOnlyList<string> clients, Func<int, string>? sockets)
    {
        ClusterFile file = NewCluster.Create(
            name,
            RandomNumberGenerator.GetBytes(Genesis.NonceLength),
            [.. addresses.Select((address, index) => MakeWitness(index, address) with { Socket = sockets?.Invoke(index) })],
            [.. clients.Select(client => new ClientEntry(client, MakeKey(_folder.ClientKey(client))))],
            ClusterLimits.Default);

        // Last: a folder with a cluster.yaml is whole.
        WriteNew(_folder.ClusterFilePath, file.ToYaml());
        return file;
    }

    private WitnessEntry MakeWitness(int index, Uri address)
    {
        Crypto.PublicKey key = MakeKey(_folder.WitnessKey(index));
        using ECDsa tlsKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = SelfSigned(tlsKey, index, address.IdnHost);
        KeyFile.WriteProtected(_folder.TlsKey(index), Encoding.ASCII.GetBytes(tlsKey.ExportPkcs8PrivateKeyPem() + "\n"));
        _made.Add(_folder.TlsKey(index));
        WriteNew(_folder.TlsCertificate(index), certificate.ExportCertificatePem() + "\n");
        return new WitnessEntry(new WitnessIndex(index), address, key, Sha256.Hash(certificate.PublicKey.ExportSubjectPublicKeyInfo()));
    }

    private static X509Certificate2 SelfSigned(ECDsa key, int index, string host)
    {
        CertificateRequest request = new($"CN=bft witness {index}", key, HashAlgorithmName.SHA256);

        // Our own clients look at the pin only; the name is for others, which take tls.pem as their root.
        SubjectAlternativeNameBuilder names = new();
        if (IPAddress.TryParse(host, out IPAddress? ip))
        {
            names.AddIpAddress(ip);
        }
        else
        {
            names.AddDnsName(host);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, 0, critical: true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), NoEnd);
    }

    private Crypto.PublicKey MakeKey(string path)
    {
        using SecretBytes seed = new(KeyFile.SeedBytes);
        RandomNumberGenerator.Fill(seed.Span);
        KeyFile.Create(path, seed.Span);
        _made.Add(path);
        using Ed25519Signer signer = new(seed.Span);
        return signer.PublicKey;
    }

    private void WriteNew(string path, string text)
    {
        using FileStream file = new(path, FileMode.CreateNew, FileAccess.Write);
        _made.Add(path);
        file.Write(Encoding.UTF8.GetBytes(text));
        file.Flush(flushToDisk: true);
    }

    private static void RefuseToOverwrite(ClusterFolder folder, int witnesses)
    {
        string? taken = Enumerable.Range(0, witnesses).Select(folder.WitnessDirectory)
            .Append(folder.Clients)
            .Append(folder.ClusterFilePath)
            .FirstOrDefault(path => File.Exists(path) || Directory.Exists(path));
        if (taken is not null)
        {
            throw new CommandException(ExitCode.Usage, $"{taken} exists, and nothing is ever overwritten. Choose another directory with --out.");
        }
    }

    /// <summary>Half a cluster would stand in the way of a whole one. Only files that this run made go: another may be making a cluster here too.</summary>
    private void Undo()
    {
        _made.ForEach(File.Delete);
        foreach (string directory in _made.Select(path => Path.GetDirectoryName(path)!).Append(_folder.Clients).Distinct(StringComparer.Ordinal).OrderByDescending(path => path.Length))
        {
            try
            {
                Directory.Delete(directory);
            }
            catch (IOException)
            {
                // Not there, or not empty and so not only ours.
            }
        }
    }
}
