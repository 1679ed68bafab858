using Bft.Protocol.Membership;
using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Client;

/// <summary>R5: hands certificates to witnesses that seem to lack them. Rare, so each is a call of its own; the role's back-off paces it.</summary>
internal sealed class HandOvers(IReadOnlyList<WitnessConnection> connections, Session session)
{
    private long _busy;

    /// <summary>Begins a hand-over, unless one to this witness is under way.</summary>
    public void Begin(WitnessIndex witness, IReadOnlyList<IPublishRequest> frames, CancellationToken cancellationToken)
    {
        long bit = 1L << witness.Value;
        if ((Interlocked.Or(ref _busy, bit) & bit) == 0)
        {
            _ = Task.Run(() => SendAsync(witness, frames, bit, cancellationToken), cancellationToken);
        }
    }

    private async Task SendAsync(WitnessIndex witness, IReadOnlyList<IPublishRequest> frames, long bit, CancellationToken cancellationToken)
    {
        WitnessConnection connection = connections[witness.Value];
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(connection.ConnectTimeout);
        try
        {
            using AsyncDuplexStreamingCall<IPublishRequest, IPublishReply> call = connection.Receiving.Publish(new CallOptions(cancellationToken: limit.Token));
            await session.OpenAsync(call, connection, limit.Token).ConfigureAwait(false);
            foreach (IPublishRequest frame in frames)
            {
                await call.RequestStream.WriteAsync(frame, limit.Token).ConfigureAwait(false);
            }

            await call.RequestStream.CompleteAsync().ConfigureAwait(false);
            while (await call.ResponseStream.MoveNext(limit.Token).ConfigureAwait(false))
            {
                // Until the witness has taken it in and ends the call.
            }
        }
        catch (Exception error) when (error is RpcException or SessionEndedException or OperationCanceledException)
        {
            // Tried again by the role as long as it is needed.
        }
        finally
        {
            Interlocked.And(ref _busy, ~bit);
        }
    }
}
