using System.Diagnostics.CodeAnalysis;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Storage;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>Answers to fetches, from the store.</summary>
/// <param name="cluster">Its policies.</param>
/// <param name="store">What is stored.</param>
/// <param name="client">Who asks.</param>
/// <param name="peer">Who that is among the witnesses, which read everything; null for others.</param>
internal sealed class FetchAnswers(ClusterFile cluster, BatchStore store, PublicKey client, WitnessIndex? peer)
{
    /// <summary>The answer, made as it is enumerated. False when the client may not read the stream's topic.</summary>
    public bool TryAnswer(FetchFrame fetch, [NotNullWhen(true)] out IEnumerable<Served<IFetchReply>>? frames)
    {
        frames = null;
        if (!store.TryFind(fetch.Stream, out StreamLog? log) || log.Tip is null)
        {
            frames = [new Served<IFetchReply>(new FetchedFrame(fetch.Stream, null, IsUnknownStream: true))];
        }
        else if (peer is not null || cluster.MayRead(log.Header.Topic, client))
        {
            frames = Answer(fetch, log);
        }

        return frames is not null;
    }

    private static IEnumerable<Served<IFetchReply>> Answer(FetchFrame fetch, StreamLog log)
    {
        Sequence? highest = null;
        for (Sequence next = fetch.From; next <= fetch.To && log.RangeFrom(next) is { } range; next = range.To.Following)
        {
            foreach (Served<IFetchReply> served in Served<IFetchReply>.Range(log, range, fetch.WithBodies ? fetch.To : null))
            {
                yield return served;
            }

            highest = range.To < fetch.To ? range.To : fetch.To;
        }

        yield return new Served<IFetchReply>(new FetchedFrame(fetch.Stream, highest));
    }
}
