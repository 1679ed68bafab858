using System.Globalization;
using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Membership;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace Bft.Configuration;

/// <summary>Reads cluster.yaml strictly: an unknown or repeated key is an error with its line, for a typing slip must not weaken a cluster.</summary>
internal sealed class ClusterFileReader(string file)
{
    private const int DepthMax = 8;

    /// <summary>A hundred years: longer is a slip, and would not fit the clock.</summary>
    private const long SecondsMax = 36_500L * 86_400;
    private static readonly string[] RootKeys = ["cluster", "nonce", "limits", "witnesses", "clients", "topics", "sharing", "edge"];
    private static readonly string[] LimitKeys = ["batchBytesMax", "messageBytesMax", "messageCountMax", "tableBytesMax", "windowSlots", "windowBytes"];

    public ClusterFile Read(string text)
    {
        YamlMappingNode root = Root(text);
        Dictionary<string, YamlNode> fields = Fields(root, RootKeys, "cluster.yaml");
        string name = Text(Required(fields, "cluster", root));
        YamlNode nonceNode = Required(fields, "nonce", root);
        string nonce = Text(nonceNode);
        byte[] nonceBytes = Hex(nonceNode, Genesis.NonceLength, "nonce");
        ClusterLimits limits = fields.TryGetValue("limits", out YamlNode? limitsNode) ? Limits(limitsNode) : ClusterLimits.Default;
        YamlNode witnessesNode = Required(fields, "witnesses", root);
        WitnessEntry[] witnesses = [.. Sequence(witnessesNode, "witnesses").Select(Witness)];
        ClientEntry[] clients = fields.TryGetValue("clients", out YamlNode? clientsNode) ? [.. Sequence(clientsNode, "clients").Select(Client)] : [];
        RequireDistinct(clients.Select(client => client.Name), clientsNode, "client name");
        RequireDistinct(clients.Select(client => client.Key.ToString()), clientsNode, "client key");
        RequireDistinct(witnesses.Select(witness => witness.Key.ToString()), witnessesNode, "witness key");
        RequireDistinct(witnesses.Select(witness => witness.Address.Authority), witnessesNode, "witness address");
        RequireDistinct(witnesses.Select(witness => witness.Socket).OfType<string>(), witnessesNode, "Unix socket");
        SharingPolicy sharing = fields.TryGetValue("sharing", out YamlNode? sharingNode) ? Sharing(sharingNode) : new();
        EdgePolicy edge = fields.TryGetValue("edge", out YamlNode? edgeNode) ? Edge(edgeNode) : new();
        TopicPolicy[] topics = fields.TryGetValue("topics", out YamlNode? topicsNode) ? Topics(topicsNode, clients) : [];
        try
        {
            return new ClusterFile(new Genesis(name, nonceBytes, witnesses.Select(witness => witness.Key), limits), nonce, witnesses, clients, topics) { Sharing = sharing, Edge = edge };
        }
        catch (ArgumentException error)
        {
            throw Fault(root, error.Message);
        }
    }

    private YamlMappingNode Root(string text)
    {
        try
        {
            RefuseAliases(text);
            YamlStream stream = [];
            stream.Load(new StringReader(text));
            return stream.Documents.Count == 1 && stream.Documents[0].RootNode is YamlMappingNode root
                ? root
                : throw new ClusterFileException(file, 0, "the file holds no mapping; `bft init` makes one to start from");
        }
        catch (YamlException error)
        {
            throw new ClusterFileException(file, (int)error.Start.Line, $"this is no YAML: {error.Message}", error);
        }
        catch (Exception error) when (error is InvalidOperationException or ArgumentException or FormatException or OverflowException)
        {
            // The parser's own mistakes about some malformed files.
            throw new ClusterFileException(file, 0, $"this is no YAML: {error.Message}", error);
        }
    }

    /// <summary>Aliases make a small file a large one, and deep nesting a deep stack.</summary>
    private void RefuseAliases(string text)
    {
        Parser parser = new(new StringReader(text));
        int depth = 0;
        int documents = 0;
        while (parser.MoveNext())
        {
            ParsingEvent node = parser.Current!;
            depth += node.NestingIncrease;
            if (node is AnchorAlias or NodeEvent { Anchor.IsEmpty: false })
            {
                throw new ClusterFileException(file, (int)node.Start.Line, "anchors and aliases are refused; write the value out");
            }

            if (node is NodeEvent { Tag.IsEmpty: false })
            {
                throw new ClusterFileException(file, (int)node.Start.Line, "tags are refused; write the value alone");
            }

            if (node is DocumentStart && ++documents > 1)
            {
                throw new ClusterFileException(file, (int)node.Start.Line, "a second document begins here; the file has one");
            }

            if (depth > DepthMax)
            {
                throw new ClusterFileException(file, (int)node.Start.Line, "the file is nested too deeply");
            }
        }
    }

    private WitnessEntry Witness(YamlNode node, int index)
    {
        Dictionary<string, YamlNode> fields = Fields(node, ["address", "unix", "key", "pin", "nextPin"], "a witness");
        if (index >= CommitteeSize.Max)
        {
            throw Fault(node, $"a cluster has at most {CommitteeSize.Max} witnesses");
        }

        YamlNode addressNode = Required(fields, "address", node);
        if (!Uri.TryCreate(Text(addressNode), UriKind.Absolute, out Uri? address) || address.Scheme != Uri.UriSchemeHttps || address.AbsolutePath != "/")
        {
            throw Fault(addressNode, $"'{Text(addressNode)}' is no address; write https://HOST:PORT, and a Unix socket beside it under unix:");
        }

        return new WitnessEntry(
            new WitnessIndex(index),
            address,
            Key(Required(fields, "key", node)),
            new Digest(Hex(Required(fields, "pin", node), Digest.Length, "pin")))
        {
            Socket = fields.TryGetValue("unix", out YamlNode? socket) ? SocketPath(socket) : null,
            NextPin = fields.TryGetValue("nextPin", out YamlNode? next) ? new Digest(Hex(next, Digest.Length, "pin")) : null,
        };
    }

    private string SocketPath(YamlNode node) => WitnessEntry.WhyNoSocket(Text(node)) is { } problem ? throw Fault(node, problem) : Text(node);

    private ClientEntry Client(YamlNode node, int index)
    {
        Dictionary<string, YamlNode> fields = Fields(node, ["name", "key", "weight", "messagesPerSecond", "bytesPerSecond"], "a client");
        YamlNode nameNode = Required(fields, "name", node);
        string name = Text(nameNode);
        if (Protocol.Model.Topic.WhyIllegal(name) is not null)
        {
            throw Fault(nameNode, $"a client's name has at most {Protocol.Model.Topic.LengthMax} bytes, and no control characters");
        }

        return new ClientEntry(name, Key(Required(fields, "key", node)))
        {
            Weight = (int)(Amount(fields, "weight", ClientEntry.WeightMax) ?? 1),
            MessagesPerSecond = Amount(fields, "messagesPerSecond"),
            BytesPerSecond = Amount(fields, "bytesPerSecond"),
        };
    }

    private SharingPolicy Sharing(YamlNode node)
    {
        Dictionary<string, YamlNode> fields = Fields(node, ["by", "messagesPerSecond", "bytesPerSecond"], "sharing");
        return new SharingPolicy
        {
            By = !fields.TryGetValue("by", out YamlNode? by) ? ShareBy.Bytes : Text(by) switch
            {
                "bytes" => ShareBy.Bytes,
                "messages" => ShareBy.Messages,
                string other => throw Fault(by, $"'{other}' is neither bytes nor messages"),
            },
            MessagesPerSecond = Amount(fields, "messagesPerSecond"),
            BytesPerSecond = Amount(fields, "bytesPerSecond"),
        };
    }

    private EdgePolicy Edge(YamlNode node)
    {
        Dictionary<string, YamlNode> fields = Fields(node, ["connectionsMax", "connectionsPerAddressMax", "strangersMax", "perKeyMax", "unreadBytesMax"], "edge");
        int? connections = (int?)Amount(fields, "connectionsMax", EdgePolicy.ConnectionsMost, EdgePolicy.ConnectionsMin);
        long most = connections ?? EdgePolicy.ConnectionsByDefault;
        return new EdgePolicy
        {
            ConnectionsMax = connections,
            ConnectionsPerAddressMax = (int?)Amount(fields, "connectionsPerAddressMax", most),
            StrangersMax = (int?)Amount(fields, "strangersMax", most),
            PerKeyMax = (int?)Amount(fields, "perKeyMax", 1024, 2),
            UnreadBytesMax = Amount(fields, "unreadBytesMax", min: EdgePolicy.UnreadBytesMin),
        };
    }

    private long? Amount(Dictionary<string, YamlNode> fields, string key, long max = long.MaxValue, long min = 1) =>
        !fields.TryGetValue(key, out YamlNode? node) ? null
        : long.TryParse(Text(node), NumberStyles.None, CultureInfo.InvariantCulture, out long amount) && amount >= min && amount <= max ? amount
        : throw Fault(node, $"'{Text(node)}' is no {key}; write a whole number from {min}{(max < long.MaxValue ? $" to {max}" : " on")}");

    private TopicPolicy[] Topics(YamlNode node, ClientEntry[] clients)
    {
        List<TopicPolicy> topics = [];
        foreach ((string pattern, YamlNode value) in Pairs(node, "topics"))
        {
            string plain = pattern.EndsWith('*') ? pattern[..^1] : pattern;
            if ((plain.Length > 0 && Protocol.Model.Topic.WhyIllegal(plain) is not null) || plain.Contains('*', StringComparison.Ordinal) || pattern.Length == 0)
            {
                throw Fault(value, $"'{pattern}' is no topic: write a name, or the beginning of names followed by *");
            }

            Dictionary<string, YamlNode> fields = Fields(value, ["publish", "read", "retainBytes", "retainAge", "retainHistoryAge"], $"topic '{pattern}'");
            TopicPolicy topic = new(pattern, Parties(fields, "publish", clients), Parties(fields, "read", clients))
            {
                RetainBytes = Retained(fields),
                RetainAge = Duration(fields, "retainAge"),
                RetainHistoryAge = Duration(fields, "retainHistoryAge"),
            };
            if (topic.RetainHistoryAge < topic.RetainAge)
            {
                throw Fault(fields["retainHistoryAge"], "retainHistoryAge is at least retainAge: what is left of a batch does not go before its body");
            }

            topics.Add(topic);
        }

        return [.. topics];
    }

    private long? Retained(Dictionary<string, YamlNode> fields) =>
        !fields.TryGetValue("retainBytes", out YamlNode? node) ? null
        : long.TryParse(Text(node), NumberStyles.None, CultureInfo.InvariantCulture, out long bytes) ? bytes
        : throw Fault(node, $"'{Text(node)}' is no number of bytes");

    /// <summary>A whole number and its unit: s, m, h or d.</summary>
    private TimeSpan? Duration(Dictionary<string, YamlNode> fields, string key)
    {
        if (!fields.TryGetValue(key, out YamlNode? node))
        {
            return null;
        }

        string text = Text(node);
        int seconds = text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86400, _ => 0 };
        return seconds > 0 && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int count) && (long)count * seconds <= SecondsMax
            ? TimeSpan.FromSeconds((long)count * seconds)
            : throw Fault(node, $"'{text}' is no duration; write a whole number and s, m, h or d, as in 30d, at most 36500d");
    }

    /// <summary>Names of clients, or <c>"*"</c> for all that the file names.</summary>
    private SortedSet<PublicKey> Parties(Dictionary<string, YamlNode> fields, string key, ClientEntry[] clients)
    {
        SortedSet<PublicKey> keys = [];
        if (!fields.TryGetValue(key, out YamlNode? node))
        {
            return keys;
        }

        foreach (YamlNode item in Sequence(node, key))
        {
            string name = Text(item);
            ClientEntry[] named = name == "*" ? clients : [.. clients.Where(client => string.Equals(client.Name, name, StringComparison.Ordinal))];
            if (named.Length == 0 && name != "*")
            {
                throw Fault(item, $"no client is named '{name}'; add it under clients");
            }

            keys.UnionWith(named.Select(client => client.Key));
        }

        return keys;
    }

    private ClusterLimits Limits(YamlNode node)
    {
        Dictionary<string, YamlNode> fields = Fields(node, LimitKeys, "limits");
        ClusterLimits defaults = ClusterLimits.Default;
        ClusterLimits limits = new()
        {
            BatchBytesMax = Number("batchBytesMax", defaults.BatchBytesMax),
            MessageBytesMax = Number("messageBytesMax", defaults.MessageBytesMax),
            MessageCountMax = Number("messageCountMax", defaults.MessageCountMax),
            TableBytesMax = Number("tableBytesMax", defaults.TableBytesMax),
            WindowSlots = Number("windowSlots", defaults.WindowSlots),
            WindowBytes = Number("windowBytes", (int)defaults.WindowBytes),
        };
        return limits.WhyIllegal() is { } reason ? throw Fault(node, reason) : limits;

        int Number(string key, int byDefault) =>
            !fields.TryGetValue(key, out YamlNode? value) ? byDefault
            : int.TryParse(Text(value), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number
            : throw Fault(value, $"'{Text(value)}' is no number of bytes or slots");
    }

    private PublicKey Key(YamlNode node)
    {
        PublicKey key = new(Hex(node, PublicKey.Length, "key"));
        return Ed25519.Instance.IsAcceptableKey(key)
            ? key
            : throw Fault(node, "this is no acceptable Ed25519 key: it is no point of the main subgroup, and anybody could sign for it");
    }

    private byte[] Hex(YamlNode node, int length, string what)
    {
        string text = Text(node);
        return text.Length == 2 * length && text.All(char.IsAsciiHexDigit)
            ? Convert.FromHexString(text)
            : throw Fault(node, $"a {what} is {2 * length} hexadecimal digits");
    }

    private string Text(YamlNode node) =>
        node is YamlScalarNode { Value: { Length: > 0 } value } ? value : throw Fault(node, "a plain value is missing here");

    private IList<YamlNode> Sequence(YamlNode node, string what) =>
        node is YamlSequenceNode sequence ? sequence.Children : throw Fault(node, $"{what} is a list");

    private IEnumerable<(string Key, YamlNode Value)> Pairs(YamlNode node, string what)
    {
        if (node is not YamlMappingNode mapping)
        {
            throw Fault(node, $"{what} is a mapping");
        }

        if (mapping.Children.Keys.FirstOrDefault(key => key is YamlScalarNode { Value: "<<" }) is { } merge)
        {
            throw Fault(merge, "merge keys are refused; write the values out");
        }

        return mapping.Children.Select(pair => (Text(pair.Key), pair.Value));
    }

    private Dictionary<string, YamlNode> Fields(YamlNode node, string[] known, string what)
    {
        Dictionary<string, YamlNode> fields = new(StringComparer.Ordinal);
        foreach ((string key, YamlNode value) in Pairs(node, what))
        {
            if (!known.Contains(key, StringComparer.Ordinal))
            {
                throw Fault(value, $"{what} has no key '{key}'; it knows {string.Join(", ", known)}");
            }

            fields.Add(key, value);
        }

        return fields;
    }

    private YamlNode Required(Dictionary<string, YamlNode> fields, string key, YamlNode parent) =>
        fields.TryGetValue(key, out YamlNode? node) ? node : throw Fault(parent, $"'{key}' is missing");

    private void RequireDistinct(IEnumerable<string> values, YamlNode? node, string what)
    {
        HashSet<string> seen = new(StringComparer.Ordinal);
        foreach (string value in values)
        {
            if (!seen.Add(value))
            {
                throw Fault(node!, $"the {what} '{value}' stands twice");
            }
        }
    }

    private ClusterFileException Fault(YamlNode node, string problem) => new(file, (int)node.Start.Line, problem);
}
