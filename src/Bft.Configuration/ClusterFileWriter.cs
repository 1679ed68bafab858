using System.Globalization;
using System.Text;
using Bft.Crypto;

namespace Bft.Configuration;

/// <summary>Writes cluster.yaml as a person would: with what each part is for.</summary>
internal static class ClusterFileWriter
{
    public static string Write(ClusterFile file)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"""
            # A Bft cluster. Every party has this file; there is no secret in it.
            # Name, nonce, witness keys and limits make the cluster id {file.Genesis.Cluster}:
            # change one of them and it is another cluster.
            cluster: {Quoted(file.Genesis.Name)}
            nonce: "{file.Nonce}"

            # Bytes, but for the counts. The same for all parties, so that no two judge a batch differently.
            limits:
              batchBytesMax: {file.Limits.BatchBytesMax}
              messageBytesMax: {file.Limits.MessageBytesMax}
              messageCountMax: {file.Limits.MessageCountMax}
              tableBytesMax: {file.Limits.TableBytesMax}
              windowSlots: {file.Limits.WindowSlots}
              windowBytes: {file.Limits.WindowBytes}

            # In the order of their index. key: Ed25519, signs acks. pin: SHA-256 of the TLS certificate's public key info; nextPin: of the one to come.
            # unix: its socket, for parties on its host that may open it; plain text, guarded by the folder that it is in. The others use the address.
            witnesses:

            """);
        foreach (WitnessEntry witness in file.Witnesses)
        {
            text.Append(CultureInfo.InvariantCulture, $"""
                  - address: {witness.Address.GetLeftPart(UriPartial.Authority)}
                    key: "{witness.Key}"
                    pin: "{witness.Pin}"

                """);
            text.Append(Line("unix", witness.Socket is { } socket ? Quoted(socket) : null));
            text.Append(Line("nextPin", witness.NextPin is { } next ? $"\"{next}\"" : null));
        }

        text.Append("\n# Who may connect; a party proves its key. weight (1 without it) is its share as a publisher beside others; messagesPerSecond and bytesPerSecond limit it.\nclients:");
        text.Append(file.Clients.Count == 0 ? " []\n" : "\n");
        foreach (ClientEntry client in file.Clients)
        {
            text.Append(CultureInfo.InvariantCulture, $"  - name: {Quoted(client.Name)}\n    key: \"{client.Key}\"\n");
            text.Append(Line("weight", client.Weight == 1 ? null : Number(client.Weight)));
            text.Append(Line("messagesPerSecond", Number(client.MessagesPerSecond)));
            text.Append(Line("bytesPerSecond", Number(client.BytesPerSecond)));
        }

        text.Append("\n# Who may do what: a topic's name, or the beginning of names and *. The best fit counts; \"*\" in a list means all clients.\n# retainBytes, retainAge and retainHistoryAge (s, m, h or d) limit what a witness keeps of the topic; without them it keeps all.\ntopics:");
        text.Append(file.Topics.Count == 0 ? " {}\n" : "\n");
        foreach (TopicPolicy topic in file.Topics)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {Quoted(topic.Pattern)}:\n    publish: [{Names(file, topic.Publishers)}]\n    read: [{Names(file, topic.Readers)}]\n");
            text.Append(Line("retainBytes", Number(topic.RetainBytes)));
            text.Append(Line("retainAge", Duration(topic.RetainAge)));
            text.Append(Line("retainHistoryAge", Duration(topic.RetainHistoryAge)));
        }

        if (file.Sharing != new SharingPolicy())
        {
            text.Append("\n# How publishers share a witness: by bytes (with 4 KiB for each batch) or by messages; and the most that it takes of all together.\nsharing:\n  by: ");
            text.Append(file.Sharing.By == ShareBy.Messages ? "messages\n" : "bytes\n");
            text.Append(Line("messagesPerSecond", Number(file.Sharing.MessagesPerSecond), "  "));
            text.Append(Line("bytesPerSecond", Number(file.Sharing.BytesPerSecond), "  "));
        }

        if (file.Edge != new EdgePolicy())
        {
            text.Append("\n# Who may connect to a witness: connections in all, from one address, without a proven key, of one key; and request bytes that lie unread.\nedge:\n");
            text.Append(Line("connectionsMax", Number(file.Edge.ConnectionsMax), "  "));
            text.Append(Line("connectionsPerAddressMax", Number(file.Edge.ConnectionsPerAddressMax), "  "));
            text.Append(Line("strangersMax", Number(file.Edge.StrangersMax), "  "));
            text.Append(Line("perKeyMax", Number(file.Edge.PerKeyMax), "  "));
            text.Append(Line("unreadBytesMax", Number(file.Edge.UnreadBytesMax), "  "));
        }

        return text.ToString();
    }

    private static string Line(string key, string? value, string indent = "    ") => value is null ? "" : $"{indent}{key}: {value}\n";

    private static string? Number(long? value) => value?.ToString(CultureInfo.InvariantCulture);

    private static string? Duration(TimeSpan? duration) => duration is not { } value ? null
        : value.Ticks % TimeSpan.TicksPerDay == 0 ? string.Create(CultureInfo.InvariantCulture, $"{value.TotalDays}d")
        : string.Create(CultureInfo.InvariantCulture, $"{value.TotalSeconds}s");

    private static string Names(ClusterFile file, IReadOnlySet<PublicKey> keys) =>
        string.Join(", ", file.Clients.Where(client => keys.Contains(client.Key)).Select(client => Quoted(client.Name)));

    /// <summary>In double quotes; what a reader would take for a break, or not see, as its number.</summary>
    private static string Quoted(string text)
    {
        StringBuilder quoted = new("\"");
        foreach (char character in text)
        {
            bool isPlain = character == ' ' || char.IsLetterOrDigit(character) || char.IsPunctuation(character) || char.IsSymbol(character) || char.IsSurrogate(character);
            _ = character is '"' or '\\' ? quoted.Append('\\').Append(character)
                : isPlain ? quoted.Append(character)
                : quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
        }

        return quoted.Append('"').ToString();
    }
}
