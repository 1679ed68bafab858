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

            # In the order of their index. key: Ed25519, signs acks. pin: SHA-256 of the TLS certificate's public key info.
            witnesses:

            """);
        foreach (WitnessEntry witness in file.Witnesses)
        {
            text.Append(CultureInfo.InvariantCulture, $"""
                  - address: {witness.Address.GetLeftPart(UriPartial.Authority)}
                    key: "{witness.Key}"
                    pin: "{witness.Pin}"

                """);
        }

        text.Append("\n# Who may connect; a party proves its key.\nclients:\n");
        foreach (ClientEntry client in file.Clients)
        {
            text.Append(CultureInfo.InvariantCulture, $"  - name: {Quoted(client.Name)}\n    key: \"{client.Key}\"\n");
        }

        text.Append("\n# Who may do what: a topic's name, or the beginning of names and *. The best fit counts; \"*\" in a list means all clients.\n# retainBytes, retainAge and retainHistoryAge (s, m, h or d) limit what a witness keeps of the topic; without them it keeps all.\ntopics:\n");
        foreach (TopicPolicy topic in file.Topics)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {Quoted(topic.Pattern)}:\n    publish: [{Names(file, topic.Publishers)}]\n    read: [{Names(file, topic.Readers)}]\n");
            text.Append(Line("retainBytes", topic.RetainBytes?.ToString(CultureInfo.InvariantCulture)));
            text.Append(Line("retainAge", Duration(topic.RetainAge)));
            text.Append(Line("retainHistoryAge", Duration(topic.RetainHistoryAge)));
        }

        return text.ToString();
    }

    private static string Line(string key, string? value) => value is null ? "" : $"    {key}: {value}\n";

    private static string? Duration(TimeSpan? duration) => duration is not { } value ? null
        : value.Ticks % TimeSpan.TicksPerDay == 0 ? string.Create(CultureInfo.InvariantCulture, $"{value.TotalDays}d")
        : string.Create(CultureInfo.InvariantCulture, $"{value.TotalSeconds}s");

    private static string Names(ClusterFile file, IReadOnlySet<PublicKey> keys) =>
        string.Join(", ", file.Clients.Where(client => keys.Contains(client.Key)).Select(client => Quoted(client.Name)));

    private static string Quoted(string text) =>
        "\"" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";
}
