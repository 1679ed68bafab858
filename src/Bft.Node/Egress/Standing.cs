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
        foreach (StreamLog log in store.StreamsOf(topic, publisher))
        {
            // The tip's own original too: a certificate alone does not say which incarnation's it is.
            SignedStatement[] above = [.. log.TipStatement() is { } own ? [own] : Array.Empty<SignedStatement>(), .. log.RecordedAboveTip().Select(SignedStatement.From)];
            if (certificates.Count == FrameLimits.StandingCertificatesMax || originals.Count + above.Length > FrameLimits.StandingOriginalsMax)
            {
                break;
            }

            originals.AddRange(above);
            if (log.TryReadTip(out VerifiedCertificate? tip))
            {
                certificates.Add(tip.Certificate.Bytes);
            }
        }

        return new StandingFrame(topic, certificates, originals);
    }
}
