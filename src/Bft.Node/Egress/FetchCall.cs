using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Node;

/// <summary>Answers fetches, each in turn.</summary>
internal sealed class FetchCall(FetchAnswers answers, RangeWriter<IFetchReply> writer)
{
    /// <exception cref="RpcException">The client asked for what it may not read, or sent what no client should send.</exception>
    public async Task RunAsync(IAsyncStreamReader<IFetchRequest> requests, CancellationToken cancellationToken)
    {
        while (await requests.MoveNext(cancellationToken))
        {
            switch (requests.Current)
            {
                case FetchFrame fetch when answers.TryAnswer(fetch, out IEnumerable<Served<IFetchReply>>? frames):
                    await writer.WriteAsync(frames, cancellationToken);
                    break;
                case FetchFrame:
                    throw new RpcException(new Status(StatusCode.PermissionDenied, "The policy of the stream's topic does not let this client read."));
                case MalformedFrame malformed:
                    throw new RpcException(new Status(StatusCode.InvalidArgument, $"A message could not be read: {malformed.Reason}."));
                default:
                    break;
            }
        }
    }
}
