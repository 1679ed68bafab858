using System.Threading.Channels;
using Bft.Protocol.Membership;
using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Client;

/// <summary>R5: hands certificates to witnesses that seem to lack them, and what they ask for then. Rare, so each witness gets a call while there is something to say.</summary>
/// <remarks><see cref="Send"/> is for the loop; replies are posted to it.</remarks>
internal sealed class HandOvers(IReadOnlyList<WitnessConnection> connections, Session session, Func<ReceiverInput, CancellationToken, ValueTask> post)
{
    private readonly Channel<IPublishRequest>?[] _open = new Channel<IPublishRequest>?[connections.Count];

    /// <summary>Opens a call, unless one is open.</summary>
    /// <remarks>Bounded: while earlier frames wait none are added; they come again with the role's back-off, or when the witness asks again.</remarks>
    /// <returns>Ends with the call that was opened for it.</returns>
    public Task Send(WitnessIndex witness, IReadOnlyList<IPublishRequest> frames, CancellationToken cancellationToken)
    {
        Channel<IPublishRequest>? open = _open[witness.Value];
        Channel<IPublishRequest> waiting = open ?? Channel.CreateUnbounded<IPublishRequest>();
        if (waiting.Reader.Count == 0)
        {
            foreach (IPublishRequest frame in frames)
            {
                waiting.Writer.TryWrite(frame);
            }
        }

        _open[witness.Value] = waiting;
        return open is null ? Task.Run(() => RunAsync(witness, waiting, cancellationToken), CancellationToken.None) : Task.CompletedTask;
    }

    private async Task RunAsync(WitnessIndex witness, Channel<IPublishRequest> waiting, CancellationToken cancellationToken)
    {
        try
        {
            await CallAsync(connections[witness.Value], waiting.Reader, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // Tried again by the role as long as it is needed.
        }

        try
        {
            await post(_ => _open[witness.Value] = null, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The subscription was disposed.
        }
    }

    private async Task CallAsync(WitnessConnection connection, ChannelReader<IPublishRequest> waiting, CancellationToken cancellationToken)
    {
        using CancellationTokenSource idle = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        idle.CancelAfter(connection.ConnectTimeout);
        Route route = connection.Receiving;
        using AsyncDuplexStreamingCall<IPublishRequest, IPublishReply> call = route.Client.Publish(new CallOptions(cancellationToken: idle.Token));
        await session.OpenAsync(call, route, idle.Token).ConfigureAwait(false);
        Task reading = ReadAsync(connection, call.ResponseStream, idle);
        try
        {
            while (await waiting.WaitToReadAsync(idle.Token).ConfigureAwait(false) && waiting.TryRead(out IPublishRequest? frame))
            {
                await call.RequestStream.WriteAsync(frame, idle.Token).ConfigureAwait(false);
                idle.CancelAfter(connection.ConnectTimeout);
            }
        }
        finally
        {
            await idle.CancelAsync().ConfigureAwait(false);
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ReadAsync(WitnessConnection connection, IAsyncStreamReader<IPublishReply> replies, CancellationTokenSource idle)
    {
        while (await replies.MoveNext(idle.Token).ConfigureAwait(false))
        {
            IPublishReply reply = replies.Current;
            if (reply is not HeartbeatFrame)
            {
                idle.CancelAfter(connection.ConnectTimeout);
                await post(driver => driver.OnHandOverReply(connection.Witness, reply), idle.Token).ConfigureAwait(false);
            }
        }
    }
}
