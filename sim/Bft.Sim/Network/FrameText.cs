using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>A message in a few words, for log and picture.</summary>
internal sealed class FrameText(ClusterId cluster)
{
    public string Of(IFrame frame) => frame switch
    {
        BatchFrame batch => $"batch {SlotOf(batch.Batch.Statement)}",
        AcksFrame acks => $"ack {AcksOf(acks.Bundle)}",
        TipFrame tip => $"tip {BatchOf(tip.Certificate)}",
        CertifiedFrame certified => $"certificate {BatchOf(certified.Certificate)}{(certified.Statements.Count > 0 ? $" +{certified.Statements.Count}" : "")}",
        BodyFrame body => $"body {Short(body.Slot.Stream)}/{body.Slot.Sequence}",
        FetchFrame fetch => $"fetch {Short(fetch.Stream)}/{fetch.From}",
        FetchedFrame => "fetched",
        RefusalFrame refusal => $"refusal {Short(refusal.Slot.Stream)}/{refusal.Slot.Sequence} {refusal.Reason}",
        FloorFrame floor => $"floor {Short(floor.Slot.Stream)}/{floor.Slot.Sequence}",
        EvidenceFrame => "evidence",
        RecallFrame recall => recall.Bundle.IsEmpty ? "recall nothing" : "recall",
        InquiryFrame => "inquiry",
        StandingFrame => "standing",
        StartFrame start => start.WithBodies ? "subscribe" : "subscribe tips",
        EndFrame end => $"end {end.Reason}",
        HeartbeatFrame => "heartbeat",
        _ => frame.GetType().Name.Replace("Frame", "", StringComparison.Ordinal).ToLowerInvariant(),
    };

    /// <summary>Four digits tell the streams of a run apart.</summary>
    public static string Short(StreamId stream) => stream.ToString()[..4];

    public static string Of(BatchRef batch) => $"{Short(batch.Stream)}/{batch.Sequence}={batch.Digest.ToString()[..4]}";

    private static string BatchOf(ReadOnlyMemory<byte> certificate) =>
        QuorumCertificate.TryParse(certificate.Span, out QuorumCertificate? parsed) ? Of(parsed.Batch) : "?";

    private string SlotOf(ReadOnlyMemory<byte> statement) =>
        BatchStatement.TryParse(cluster, statement.Span, out BatchStatement? parsed, out _) ? Of(parsed.Reference) : "?";

    private string AcksOf(ReadOnlyMemory<byte> bundle) =>
        AckBundle.TryParse(cluster, bundle.Span, out AckBundle? parsed) ? string.Join(' ', parsed.Leaves.Select(leaf => Of(leaf.Statement.Batch))) : "?";
}
