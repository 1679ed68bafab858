using System.Globalization;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Cli.Proofs;

/// <summary>Evidence that holds, told to people and to programs: who is guilty, where, and the two originals.</summary>
/// <param name="Offender">The guilty key.</param>
/// <param name="Witness">The guilty witness's index; null for a publisher.</param>
/// <param name="Name">What cluster.yaml calls a guilty publisher; null when it does not know the key.</param>
/// <param name="Slot">Where two things were signed.</param>
/// <param name="Topic">The slot's topic, where the originals tell it.</param>
/// <param name="First">Digest of the first batch.</param>
/// <param name="Second">Digest of the second.</param>
internal sealed record EvidenceReport(PublicKey Offender, int? Witness, string? Name, Slot Slot, string? Topic, Digest First, Digest Second)
{
    private string Who => Witness is { } index ? string.Create(CultureInfo.InvariantCulture, $"witness {index}") : $"publisher {Name ?? "(not in cluster.yaml)"}";

    /// <summary>One sentence.</summary>
    public string Sentence => $"{Who} signed two different batches for one slot.";

    public static EvidenceReport Of(VerifiedEvidence verified, ClusterFile cluster)
    {
        (Digest first, Digest second, string? topic) = verified.Evidence switch
        {
            PublisherEquivocation publisher => (Sha256.Hash(publisher.First.Bytes.Span), Sha256.Hash(publisher.Second.Bytes.Span), TopicOf(publisher.First, cluster)),
            WitnessEquivocation witness => (ClaimOf(witness.First, cluster), ClaimOf(witness.Second, cluster), null),
            _ => throw new InvalidOperationException($"Evidence of kind {verified.Evidence.Kind} has no report."),
        };
        return new EvidenceReport(verified.Offender, verified.Witness?.Value, cluster.ClientOf(verified.Offender)?.Name, verified.Slot, topic, first, second);
    }

    /// <param name="session">Where it is shown.</param>
    /// <param name="kind">The event's name in JSON.</param>
    /// <param name="heldBy">The witnesses that hold it; empty when it came from a file.</param>
    /// <param name="file">Where it was written to; null when it was not.</param>
    public void Show(Session session, string kind, IReadOnlyList<int> heldBy, string? file = null)
    {
        if (session.IsJson)
        {
            session.Json.Write(kind, fields =>
            {
                fields.WriteString("kind", "evidence");
                fields.WriteString("role", Witness is null ? "publisher" : "witness");
                fields.WriteString("offender", Offender.ToString());
                if (Witness is { } index)
                {
                    fields.WriteNumber("witness", index);
                }

                fields.WriteString("name", Name);
                fields.WriteString("topic", Topic);
                fields.WriteString("stream", Slot.Stream.ToString());
                fields.WriteNumber("sequence", Slot.Sequence.Value);
                fields.WriteString("first", First.ToString());
                fields.WriteString("second", Second.ToString());
                if (heldBy.Count > 0)
                {
                    fields.WriteStartArray("heldBy");
                    foreach (int witness in heldBy)
                    {
                        fields.WriteNumberValue(witness);
                    }

                    fields.WriteEndArray();
                }

                if (file is not null)
                {
                    fields.WriteString("file", file);
                }
            });
            return;
        }

        session.Say($"""
            ✓ Evidence holds: {Sentence}
              Key     {Offender}
              Slot    sequence {Slot.Sequence} of stream {Slot.Stream}{(Topic is null ? "" : $", topic {Topic}")}
              First   batch {First}
              Second  batch {Second}
              {(heldBy.Count > 0
                ? $"Held by witness {string.Join(", ", heldBy)}{(file is null ? "; --export writes it to a file." : $"; written to {file}")}"
                : "Both are in the file with their signatures: anybody with cluster.yaml can check this.")}
            """);
    }

    private static string? TopicOf(SignedStatement statement, ClusterFile cluster) =>
        BatchStatement.TryParse(cluster.Genesis.Cluster, statement.Bytes.Span, out BatchStatement? batch, out _) ? batch.Header.Topic.Name : null;

    /// <summary>What the ack claims in the slot in dispute: its own batch, or what the last statement of its chain follows.</summary>
    private static Digest ClaimOf(AckWithChain side, ClusterFile cluster) =>
        side.Chain.Count > 0 && BatchStatement.TryParse(cluster.Genesis.Cluster, side.Chain[^1].Span, out BatchStatement? lowest, out _)
            ? lowest.Ancestor.Digest
            : side.Ack.Leaves[0].Statement.Batch.Digest;
}
