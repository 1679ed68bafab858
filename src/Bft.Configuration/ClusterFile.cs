using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;

namespace Bft.Configuration;

/// <summary>A cluster.yaml: who the witnesses are and where, which clients are known, and who may do what in which topic.</summary>
/// <remarks>
/// Name, nonce, witness keys and limits make the cluster id, so all parties must have them alike. Addresses, pins, clients and topics are
/// not part of it: each witness judges by its own copy.
/// </remarks>
public sealed class ClusterFile
{
    /// <summary>Largest file that is read. Unit: bytes.</summary>
    public const int LengthMax = 1024 * 1024;

    private readonly Dictionary<PublicKey, ClientEntry> _clients;

    internal ClusterFile(Genesis genesis, string nonce, IReadOnlyList<WitnessEntry> witnesses, IReadOnlyList<ClientEntry> clients, IReadOnlyList<TopicPolicy> topics)
    {
        Genesis = genesis;
        Nonce = nonce;
        Committee = genesis.Committee;
        Witnesses = witnesses;
        Clients = clients;
        Topics = topics;
        _clients = clients.ToDictionary(client => client.Key);
    }

    public Genesis Genesis { get; }

    public Committee Committee { get; }

    public ClusterLimits Limits => Genesis.Limits;

    /// <summary>In the order of their index.</summary>
    public IReadOnlyList<WitnessEntry> Witnesses { get; }

    public IReadOnlyList<ClientEntry> Clients { get; }

    /// <summary>In the order of the file.</summary>
    public IReadOnlyList<TopicPolicy> Topics { get; }

    /// <summary>How publishers share a witness.</summary>
    public SharingPolicy Sharing { get; internal init; } = new();

    /// <summary>Who may connect to a witness, as far as it is not as by default.</summary>
    public EdgePolicy Edge { get; internal init; } = new();

    /// <summary>64 hexadecimal digits.</summary>
    internal string Nonce { get; }

    /// <summary>Reads and checks a file.</summary>
    /// <exception cref="ClusterFileException">The file is missing, too large, no YAML, or says something illegal or contradictory.</exception>
    public static ClusterFile Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            // One byte more than is allowed shows what is too large; a pipe or a device has no length to ask for.
            using FileStream file = File.OpenRead(path);
            byte[] bytes = new byte[file.CanSeek && file.Length is > 0 and < LengthMax ? (int)file.Length + 1 : LengthMax + 1];
            int length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (length > LengthMax)
            {
                throw new ClusterFileException(path, 0, $"the file is larger than {LengthMax} bytes");
            }

            using StreamReader reader = new(new MemoryStream(bytes, 0, length));
            return Parse(reader.ReadToEnd(), path);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ClusterFileException(path, 0, "there is no such file; `bft init --out DIR` makes one, and --cluster or BFT_CLUSTER names it", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ClusterFileException(path, 0, $"the file cannot be read: {error.Message}", error);
        }
    }

    /// <summary>Checks the text of a file.</summary>
    /// <param name="text">YAML.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="ClusterFileException">As for <see cref="Load"/>.</exception>
    public static ClusterFile Parse(string text, string name) => new ClusterFileReader(name).Read(text);

    /// <summary>The client with this key; null when it is unknown.</summary>
    public ClientEntry? ClientOf(PublicKey key) => _clients.GetValueOrDefault(key);

    /// <summary>Some policy covers the topic; without one nobody may use it.</summary>
    public bool HasPolicyFor(Topic topic) => PolicyFor(topic) is not null;

    public bool MayPublish(Topic topic, PublicKey key) => PolicyFor(topic)?.Publishers.Contains(key) ?? false;

    public bool MayRead(Topic topic, PublicKey key) => PolicyFor(topic)?.Readers.Contains(key) ?? false;

    /// <summary>The text of a file that says the same.</summary>
    public string ToYaml() => ClusterFileWriter.Write(this);

    /// <summary>The policy with the best fit: a whole name, else the longest beginning.</summary>
    public TopicPolicy? PolicyFor(Topic topic) => Topics.Where(policy => policy.FitOf(topic) >= 0).MaxBy(policy => policy.FitOf(topic));
}
