using Bft.Protocol.Verification;

namespace Bft.Protocol.Model;

/// <summary>A witness's answer that it does not ack a batch, as it came: nothing about it is known to be true (P6).</summary>
/// <param name="Slot">The slot refused.</param>
/// <param name="Reason">Why.</param>
/// <param name="Original">What the witness acked or knows covered in that slot, as its publisher signed it; null when it has nothing to show.</param>
/// <param name="Acks">The witness's own ack of <paramref name="Original"/>; null when there is none.</param>
/// <param name="Certificate">What covers the slot; below the floor the stream's tip certificate; null when there is none.</param>
/// <param name="Text">For people; at most <see cref="TextLengthMax"/> characters. Decides nothing.</param>
public sealed record Refusal(
    Slot Slot, RefusalReason Reason, SignedStatement? Original = null, AckBundle? Acks = null, QuorumCertificate? Certificate = null, string Text = "")
{
    /// <summary>Longest text that is passed on. Unit: characters.</summary>
    public const int TextLengthMax = 512;

    /// <summary>W11: with <see cref="RefusalReason.Full"/> and <see cref="RefusalReason.Retired"/>, signed originals of the live incarnations, the newest slot of each first. <value>Default: none.</value></summary>
    public IReadOnlyList<SignedStatement> Live { get; init; } = [];
}
