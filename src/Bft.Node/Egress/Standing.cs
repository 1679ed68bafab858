using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Storage;
using Bft.Wire;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>P7: what is stored of a publisher's incarnations in a topic, the newest first.</summary>
internal static class Standing
{
    public static StandingFrame Of(BatchStore store, Topic topic, PublicKey publisher)
    {
        List<StreamLog> own = [];
        for (int i = store.StreamCountOf(topic) - 1; i >= 0; i--)
        {
            StreamLog log = store.StreamOf(topic, i);
            if (log.Header.Publisher == publisher)
            {
                own.Add(log);
            }
        }

        return new StandingFrame(
            topic,
            [.. own.OrderByDescending(log => log.Header.Incarnation).Take(FrameLimits.StandingCertificatesMax).Select(log => log.Tip!.Certificate.Bytes)],
            []);
    }
}
