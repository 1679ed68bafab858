using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Storage;
using Bft.Wire;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>P7: what is held of a publisher's incarnations in a topic, the newest first: tips, and the originals from there up. On the core's thread.</summary>
internal static class Standing
{
    public static StandingFrame Of(BatchStore store, Topic topic, PublicKey publisher)
    {
        List<ReadOnlyMemory<byte>> certificates = [];
        List<SignedStatement> originals = [];
        foreach (StreamLog log in store.Streams
            .Where(log => log.Header.Publisher == publisher && log.Header.Topic == topic)
            .OrderByDescending(log => log.Header.Incarnation))
        {
            SignedStatement[] above = [.. TipOf(log), .. log.RecordedAboveTip().Select(SignedStatement.From)];
            if (certificates.Count == FrameLimits.StandingCertificatesMax || originals.Count + above.Length > FrameLimits.StandingOriginalsMax)
            {
                break;
            }

            originals.AddRange(above);
            if (log.Tip is { } tip)
            {
                certificates.Add(tip.Certificate.Bytes);
            }
        }

        return new StandingFrame(topic, certificates, originals);
    }

    /// <summary>The tip's own original: a certificate alone does not say which incarnation's it is. None when there is no tip, or it is cut (S2) or damaged.</summary>
    private static SignedStatement[] TipOf(StreamLog log)
    {
        try
        {
            return log.Tip is { } tip && tip.Batch.Sequence >= log.FirstKept ? [log.ReadStatement(tip.Batch.Sequence)] : [];
        }
        catch (StoreDamageException)
        {
            return [];
        }
    }
}
