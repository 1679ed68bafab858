using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Witnessing;

/// <summary>What a witness knows of one slot above its stored tip.</summary>
internal sealed class SlotState
{
    /// <summary>The batch that I acked here; never changes (W3).</summary>
    public VerifiedStatement? Acked { get; set; }

    public Sequence AckBase { get; set; }

    /// <summary>The ack as signed: only once its record is durable, so that whatever shows an ack takes it from here (W1).</summary>
    public VerifiedAck? Ack { get; set; }

    /// <summary>W3: another batch came for the slot before the ack was durable; the answer leaves with the ack.</summary>
    public bool OwesConflict { get; set; }

    /// <summary>What a certificate covers here (W5), once the statements from the certificate down to here are known.</summary>
    public Digest? Covered { get; set; }

    /// <summary>W5: another batch than this is covered here, or was when its body was stored (the certificate may have been lost in a crash).</summary>
    public bool IsClosedTo(Digest digest) => Covered is { } covered ? covered != digest : IsFetchedRecorded && Fetched!.Digest != digest;

    /// <summary>The lowest slot that a certificate reaches through this one.</summary>
    public Sequence CoveredFrom { get; set; }

    /// <summary>A certificate for the batch of this very slot.</summary>
    public VerifiedCertificate? Certificate { get; set; }

    /// <summary>The statement of the covered batch when it is not the one I acked.</summary>
    public VerifiedStatement? Fetched { get; set; }

    /// <summary>The covered batch is recorded, without an ack.</summary>
    public bool IsFetchedRecorded { get; set; }

    /// <summary>A batch that waits for its predecessor (W4).</summary>
    public VerifiedBatch? Held { get; set; }

    /// <summary>The first statement of the publisher seen for this slot.</summary>
    public VerifiedStatement? Original => Acked ?? Fetched ?? Held?.Statement;

    /// <summary>The covered batch's body is in the journal.</summary>
    public bool IsCoveredRecorded => Covered is { } covered && (Acked?.Digest == covered || IsFetchedRecorded);

    /// <summary>The statement with this digest, if it is here.</summary>
    public VerifiedStatement? StatementOf(Digest digest) =>
        Acked?.Digest == digest ? Acked
        : Fetched?.Digest == digest ? Fetched
        : Held?.Digest == digest ? Held.Statement
        : null;
}
