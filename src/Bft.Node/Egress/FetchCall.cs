using Bft.Configuration;
using Bft.Protocol.Model;
using Bft.Storage;
using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Node;

/// <summary>Answers fetches, each in turn, from the store.</summary>
internal sealed class FetchCall(ClusterFile cluster, BatchStore store, Session session, RangeWriter<IFetchReply> writer)
{
    /// <exception cref="RpcException">The client asked for what it may not read, or sent what no client should send.</exception>
    public async Task RunAsync(IAsyncStreamReader<IFetchRequest> requests, CancellationToken cancellationToken)
    {
        while (await requests.MoveNext(cancellationToken))
        {
            switch (requests.Current)
            {
                case FetchFrame fetch:
                    await AnswerAsync(fetch, cancellationToken);
                    break;
                case MalformedFrame malformed:
                    throw new RpcException(new Status(StatusCode.InvalidArgument, $"A message could not be read: {malformed.Reason}."));
                default:
                    break;
            }
        }
    }

    private async ValueTask AnswerAsync(FetchFrame fetch, CancellationToken cancellationToken)
    {
        if (!store.TryFind(fetch.Stream, out StreamLog? log) || log.Tip is null)
        {
            await writer.WriteAsync(new FetchedFrame(fetch.Stream, null, IsUnknownStream: true));
            return;
        }

        if (session.Peer is null && !cluster.MayRead(log.Header.Topic, session.Client))
        {
            throw new RpcException(new Status(StatusCode.PermissionDenied, "The policy of the stream's topic does not let this client read."));
        }

        Sequence? highest = null;
        for (Sequence next = fetch.From; next <= fetch.To && log.RangeFrom(next) is { } range; next = range.To.Following)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await writer.WriteAsync(log, range, fetch.WithBodies ? fetch.To : null);
            highest = range.To < fetch.To ? range.To : fetch.To;
        }

        await writer.WriteAsync(new FetchedFrame(fetch.Stream, highest));
    }
}
