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
        StatusFrame? status = null;
        string? problem = await Question.AskAsync(
            connection,
            async limit =>
            {
                Route route = connection.Receiving;
                using AsyncDuplexStreamingCall<IStatusRequest, IStatusReply> call = route.Client.Status(new CallOptions(cancellationToken: limit));
                await session.OpenAsync(call, route, limit).ConfigureAwait(false);
                status = await call.ResponseStream.MoveNext(limit).ConfigureAwait(false) ? call.ResponseStream.Current as StatusFrame : null;
                return status is null ? "It answered with no status." : null;
            },
            cancellationToken).ConfigureAwait(false);
        return new WitnessHealth(connection.Witness, status, problem, TimeSpan.FromMilliseconds(Environment.TickCount64 - start));
    }
}
