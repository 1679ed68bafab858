using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Publishing;

/// <summary>Send this batch to this witness; a repeat names the same bytes.</summary>
public readonly record struct BatchSend(WitnessIndex To, VerifiedBatch Batch);

/// <summary>Hand this certificate to this witness (P5, R5).</summary>
public readonly record struct CertificateHandOver(WitnessIndex To, VerifiedCertificate Certificate);

/// <summary>P5: this batch's publish is complete. The role names the batch no more, so the host may give its body's memory back once its own sends are done.</summary>
public readonly record struct CoveredBatch(VerifiedBatch Batch, VerifiedCertificate Certificate);

/// <summary>P6: f + 1 witnesses refused this batch for good, so a correct one did. It may still be certified, but nobody should wait for that.</summary>
public readonly record struct BatchRefused(Sequence Sequence, RefusalReason Reason);

/// <summary>Why an input changed nothing.</summary>
public enum PublisherIgnored
{
    /// <summary>About another stream.</summary>
    OtherStream,

    /// <summary>The slot was covered before.</summary>
    AlreadyCovered,

    /// <summary>This witness acked it before.</summary>
    RepeatedAck,

    /// <summary>An ack of something that we have not sent; without an original signed by us it proves nothing (P6).</summary>
    NeverSent,

    /// <summary>An ack of another batch in a slot of ours; without an original signed by us it proves nothing (P6).</summary>
    OtherDigest,

    /// <summary>A refusal that shows nothing and asks for nothing but patience.</summary>
    ProvesNothing,
}

/// <summary>What one input made a publisher decide. The host owns it, performs it and clears it.</summary>
/// <remarks>
/// Contract: a batch leaves only once its journal record is durable. So the host appends <see cref="Batches"/>, flushes, and reports
/// <c>OnDurable</c>, and <see cref="Sends"/> then name them. <see cref="Certificates"/> are appended in the same order but wait for no
/// flush: one that is lost is collected again.
/// </remarks>
public sealed class PublisherEffects
{
    /// <summary>Append these to the journal, in order (P2).</summary>
    public IList<VerifiedBatch> Batches { get; } = [];

    /// <summary>Append these to the journal; no flush is needed.</summary>
    public IList<VerifiedCertificate> Certificates { get; } = [];

    /// <summary>Send these; to one witness in this order (P3).</summary>
    public IList<BatchSend> Sends { get; } = [];

    public IList<CertificateHandOver> HandOvers { get; } = [];

    /// <summary>In order of sequence, each slot once, without gaps.</summary>
    public IList<CoveredBatch> Covered { get; } = [];

    public IList<BatchRefused> Refused { get; } = [];

    /// <summary>Set by the input that ended the stream; null otherwise.</summary>
    public PublisherEnd? End { get; internal set; }

    public IList<PublisherIgnored> Ignored { get; } = [];

    public void Clear()
    {
        Batches.Clear();
        Certificates.Clear();
        Sends.Clear();
        HandOvers.Clear();
        Covered.Clear();
        Refused.Clear();
        Ignored.Clear();
        End = null;
    }
}
