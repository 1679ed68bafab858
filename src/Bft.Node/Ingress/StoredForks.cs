using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Storage;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>C2: whether a certificate that somebody shows names another batch than the one that is stored in its slot.</summary>
internal static class StoredForks
{
    private const int MemoryFactor = 4; // a certificate in memory, for each byte on the wire

    /// <param name="store">What is stored.</param>
    /// <param name="ranges">Of the call on which it came.</param>
    /// <param name="shown">Not yet verified; its slot is stored here.</param>
    /// <param name="reason">Why it is not a certificate; only looked at when it names another batch.</param>
    /// <returns>Null when there is nothing to prove.</returns>
    public static StoredForkInput? Find(BatchStore store, RangeVerifier ranges, QuorumCertificate shown, out RejectReason reason)
    {
        reason = RejectReason.None;
        return OtherThanStored(store, shown.Batch) is { } stored
            && ranges.TryVerify(stored, out VerifiedCertificate? mine, out VerifiedStatement[] statements, out _)
            && ranges.TryVerify(new CertifiedFrame(shown.Bytes, []), out VerifiedCertificate? other, out _, out reason)
            ? new StoredForkInput(mine, statements, other) { Bytes = MemoryFactor * shown.Bytes.Length }
            : null;
    }

    private static CertifiedFrame? OtherThanStored(BatchStore store, BatchRef batch)
    {
        if (!store.TryFind(batch.Stream, out StreamLog? log) || log.Tip == batch || log.RangeFrom(batch.Sequence) is not { } range)
        {
            return null;
        }

        try
        {
            return Sha256.Hash(log.ReadStatement(batch.Sequence).Bytes.Span) == batch.Digest ? null : StoredFrames.Certified(log, range);
        }
        catch (StoreDamageException)
        {
            return null;
        }
    }
}
