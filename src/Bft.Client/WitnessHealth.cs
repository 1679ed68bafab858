using Bft.Protocol.Membership;
using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Client;

/// <summary>What a witness says of itself, or why it said nothing.</summary>
/// <param name="Witness">Which one.</param>
/// <param name="Status">Null when it did not answer.</param>
/// <param name="Problem">Null when it answered.</param>
/// <param name="RoundTrip">From dialling to the answer.</param>
public sealed record WitnessHealth(WitnessIndex Witness, StatusFrame? Status, string? Problem, TimeSpan RoundTrip)
{
    internal static async Task<WitnessHealth> AskAsync(WitnessConnection connection, Session session, CancellationToken cancellationToken)
    {
        long start = Environment.TickCount64;
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(connection.ConnectTimeout);
        try
        {
            using AsyncDuplexStreamingCall<IStatusRequest, IStatusReply> call = connection.Receiving.Status(new CallOptions(cancellationToken: limit.Token));
            await session.OpenAsync(call, connection, limit.Token).ConfigureAwait(false);
            bool answered = await call.ResponseStream.MoveNext(limit.Token).ConfigureAwait(false);
            return answered && call.ResponseStream.Current is StatusFrame status
                ? new WitnessHealth(connection.Witness, status, null, Elapsed(start))
                : new WitnessHealth(connection.Witness, null, "It answered with no status.", Elapsed(start));
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested && error is RpcException or SessionEndedException or OperationCanceledException)
        {
            string problem = limit.IsCancellationRequested ? $"No answer within {connection.ConnectTimeout.TotalSeconds} s." : error.Message;
            return new WitnessHealth(connection.Witness, null, problem, Elapsed(start));
        }
    }

    private static TimeSpan Elapsed(long start) => TimeSpan.FromMilliseconds(Environment.TickCount64 - start);
}
