using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Receiving;

/// <summary>R1, R4: whether what is shown contradicts what is buffered, was delivered last, or was shown before.</summary>
internal static class ForkSearch
{
    /// <summary>A tip with its proof.</summary>
    public static Fork? Find(ReceivedStream stream, VerifiedCertificate tip)
    {
        Sequence slot = tip.Batch.Sequence;
        return stream.DigestAt(slot) is { } known && known != tip.Batch.Digest ? new Fork(tip.Batch.Slot, stream.ClaimAt(slot), new CertifiedClaim(tip, [])) : null;
    }

    public static Fork? Find(ReceivedStream stream, CertifiedRange range)
    {
        // The highest slot in both: where two chains differ in a slot, they differ in every later one too.
        Sequence? common = range.First < stream.End ? Min(range.Last, stream.End.Preceding) : null;
        if (common is null && range.First == stream.End && !range.First.IsFirst)
        {
            common = range.First.Preceding;
        }

        return FindAt(stream, range, common) ?? FindAt(stream, range, stream.HighestTip?.Batch.Sequence);
    }

    private static Fork? FindAt(ReceivedStream stream, CertifiedRange range, Sequence? slot) =>
        slot is { } at && DigestOf(range, at) is { } theirs && stream.DigestAt(at) is { } ours && ours != theirs
            ? new Fork(new Slot(stream.Id, at), stream.ClaimAt(at), CertifiedClaim.Of(range, at))
            : null;

    /// <summary>What a range says about a slot: one of its own, or the one that its first statement names as <i>previous</i>.</summary>
    private static Digest? DigestOf(CertifiedRange range, Sequence slot) =>
        range.Find(slot)?.Digest ?? (!range.First.IsFirst && slot == range.First.Preceding ? range.Statements[0].Statement.Ancestor.Digest : null);

    private static Sequence Min(Sequence left, Sequence right) => left < right ? left : right;
}
