using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Storage;

namespace Bft.Node;

/// <summary>Who this witness is: its cluster, its keys, its place in the committee. Everything is checked before anything is opened.</summary>
/// <remarks>Committee, own key and address stay; clients, policies, others' addresses and pins, and the TLS certificate may be replaced while it runs. Thread-safe.</remarks>
internal sealed class NodeIdentity : IDisposable
{
    private volatile Replaceable _current;

    private NodeIdentity(ClusterFile cluster, WitnessIndex index, Ed25519Signer signer, X509Certificate2 certificate, IPEndPoint listen)
    {
        _current = new Replaceable(cluster, certificate);
        Committee = cluster.Committee;
        Index = index;
        Signer = signer;
        Listen = listen;
    }

    /// <summary>As it was read last.</summary>
    public ClusterFile Cluster => _current.Cluster;

    public Committee Committee { get; }

    public WitnessEntry Self => Cluster.Witnesses[Index.Value];

    public WitnessIndex Index { get; }

    public Ed25519Signer Signer { get; }

    public X509Certificate2 Certificate => _current.Certificate;

    public IPEndPoint Listen { get; }

    /// <exception cref="NodeFailure">Something is missing or contradicts cluster.yaml.</exception>
    public static NodeIdentity Load(NodeOptions options)
    {
        ClusterFile cluster = ClusterFile.Load(options.ClusterFile);
        using SecretBytes seed = KeyFile.Load(options.KeyFile);
        Ed25519Signer signer = new(seed.Span);
        try
        {
            WitnessIndex index = cluster.Committee.IndexOf(signer.PublicKey)
                ?? throw new NodeFailure(NodeExitCode.Key, $"{options.KeyFile}: its public key {signer.PublicKey} is no witness's in {options.ClusterFile}.");
            WitnessEntry self = cluster.Witnesses[index.Value];
            return new NodeIdentity(cluster, index, signer, LoadCertificate(options, self), options.Listen ?? ListenAt(self));
        }
        catch
        {
            signer.Dispose();
            throw;
        }
    }

    /// <summary>Reads cluster.yaml and the TLS certificate again. When either cannot be used, both stay as they were.</summary>
    /// <exception cref="NodeFailure">It cannot be used, or is another cluster's.</exception>
    /// <exception cref="ClusterFileException">As when it is loaded.</exception>
    public void Reload(NodeOptions options)
    {
        ClusterFile cluster = ClusterFile.Load(options.ClusterFile);
        if (cluster.Committee.Cluster != Committee.Cluster)
        {
            throw new NodeFailure(NodeExitCode.Settings, $"{options.ClusterFile}: name, nonce, witness keys and limits make the cluster id and cannot change ({cluster.Committee.Cluster} instead of {Committee.Cluster}).");
        }

        // The certificate before stays undisposed: handshakes under way use it.
        _current = new Replaceable(cluster, LoadCertificate(options, cluster.Witnesses[Index.Value]));
    }

    public void Dispose()
    {
        Signer.Dispose();
        Certificate.Dispose();
    }

    /// <summary>SHA-256 of a certificate's public key info: what cluster.yaml pins. Names and dates in certificates count for nothing.</summary>
    public static Digest PinOf(X509Certificate2 certificate) => Sha256.Hash(certificate.PublicKey.ExportSubjectPublicKeyInfo());

    private static X509Certificate2 LoadCertificate(NodeOptions options, WitnessEntry self)
    {
        string directory = Path.GetDirectoryName(Path.GetFullPath(options.KeyFile))!;
        string certificatePath = options.TlsCertificateFile ?? Path.Combine(directory, "tls.crt");
        string keyPath = options.TlsKeyFile ?? Path.Combine(directory, "tls.key");
        using SecretBytes key = KeyFile.ReadProtected(keyPath);
        char[] keyText = new char[Encoding.ASCII.GetCharCount(key.Span)];
        try
        {
            Encoding.ASCII.GetChars(key.Span, keyText);
            X509Certificate2 certificate = X509Certificate2.CreateFromPem(File.ReadAllText(certificatePath), keyText);
            return self.Accepts(PinOf(certificate))
                ? certificate
                : throw new NodeFailure(NodeExitCode.Key, $"{certificatePath}: cluster.yaml pins {self.Pin}{(self.NextPin is { } next ? $" and {next}" : "")} for witness {self.Index}, but this certificate has {PinOf(certificate)}.");
        }
        catch (Exception cause) when (cause is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new NodeFailure(NodeExitCode.Key, $"{certificatePath} and {keyPath} make no TLS certificate: {cause.Message}", cause);
        }
        finally
        {
            Array.Clear(keyText);
        }
    }

    private static IPEndPoint ListenAt(WitnessEntry self)
    {
        Uri address = self.Address;
        IPAddress ip = IPAddress.TryParse(address.DnsSafeHost, out IPAddress? literal) ? literal
            : address.IsLoopback ? IPAddress.Loopback
            : IPAddress.IPv6Any;
        return new IPEndPoint(ip, address.Port);
    }

    private sealed record Replaceable(ClusterFile Cluster, X509Certificate2 Certificate);
}
