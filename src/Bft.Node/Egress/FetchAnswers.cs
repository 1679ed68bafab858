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
        if (peer is not null && fetch.Batch is { } digest)
        {
            frames = Answer(fetch, digest);
        }
        else if (!store.TryFind(fetch.Stream, out StreamLog? log) || log.Tip is null)
        {
            frames = [new Served<IFetchReply>(new FetchedFrame(fetch.Stream, null, IsUnknownStream: true))];
        }
        else if (peer is not null || cluster.MayRead(log.Header.Topic, client))
        {
            frames = Answer(fetch, log);
        }

        return frames is not null;
    }

    /// <summary>W6: one batch, certified or not.</summary>
    private IEnumerable<Served<IFetchReply>> Answer(FetchFrame fetch, Digest digest)
    {
        BatchFrame? batch = store.TryFind(fetch.Stream, out StreamLog? log) ? StoredFrames.Batch(log, fetch.From, digest) : null;
        if (batch is not null)
        {
            yield return new Served<IFetchReply>(batch, IsLast: false);
        }

        yield return new Served<IFetchReply>(new FetchedFrame(fetch.Stream, batch is null ? null : fetch.From, IsUnknownStream: log is null));
    }

    private static IEnumerable<Served<IFetchReply>> Answer(FetchFrame fetch, StreamLog log)
    {
        Sequence? highest = null;
        Sequence next = fetch.From;
        for (; next <= fetch.To && next >= LowestOf(log, fetch) && log.RangeFrom(next) is { } range; next = range.To.Following)
        {
            foreach (Served<IFetchReply> served in Served<IFetchReply>.Range(log, range, fetch.WithBodies ? fetch.To : null))
            {
                yield return served;
            }

            highest = range.To < fetch.To ? range.To : fetch.To;
        }

        if (LowestOf(log, fetch) is var lowest && next < lowest)
        {
            // S2: asking below the floor is an error that names it. Without bodies it is asked for what is left below: there the floor is the first statement's.
            yield return new Served<IFetchReply>(StoredFrames.Floor(log, lowest));

            // S3: a peer that acked there has the bodies, and may lack nothing but the proof: without it neither the floor nor the slot would ever be its own.
            for (; fetch.WithBodies && next <= fetch.To && next >= log.FirstKept && next < lowest && log.RangeFrom(next) is { } range; next = range.To.Following)
            {
                foreach (Served<IFetchReply> served in Served<IFetchReply>.Range(log, range, bodiesTo: null))
                {
                    yield return served;
                }
            }
        }

        yield return new Served<IFetchReply>(new FetchedFrame(fetch.Stream, highest));
    }

    private static Sequence LowestOf(StreamLog log, FetchFrame fetch) => fetch.WithBodies ? log.Floor : log.FirstKept;
}
