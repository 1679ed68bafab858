using Bft.Protocol.Membership;
using Bft.Wire.Frames;
using Bft.Wire.Services;
using Grpc.Core;

namespace Bft.Client;

/// <summary>One call to one witness: dials, reads, verifies what is read, and tells the loop.</summary>
internal sealed class SubscribeSession(WitnessConnection connection, Session session, SubscriberLoop loop, StartFrame start, SubscriptionChannel channel, CancellationToken ending)
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _over = CancellationTokenSource.CreateLinkedTokenSource(ending);
    private readonly ReceiverIntake _intake = loop.Driver.NewIntake();
    private bool _isOver;

    public WitnessIndex Witness => connection.Witness;

    public SubscriptionChannel Channel => channel;

    /// <summary>The driver wants no more of it.</summary>
    public void End()
    {
        lock (_gate)
        {
            if (!_isOver)
            {
                _over.Cancel();
            }
        }
    }

    public async Task RunAsync()
    {
        string reason = "The witness ended the call.";
        bool isRefusal = false;
        try
        {
            await ReadAsync(_over.Token).ConfigureAwait(false);
        }
        catch (RpcException refused) when (refused.StatusCode is StatusCode.Unauthenticated or StatusCode.PermissionDenied)
        {
            reason = refused.Status.Detail;
            isRefusal = true;
        }
        catch (Exception error)
        {
            // Whatever it was, and however a cancelled call puts it.
            reason = error.Message;
        }

        lock (_gate)
        {
            _isOver = true;
            _over.Dispose();
        }

        try
        {
            await loop.PostAsync(driver => OnOver(driver, reason, isRefusal), ending).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The subscription was disposed.
        }
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        Route route = connection.Receiving;
        using AsyncDuplexStreamingCall<ISubscribeRequest, ISubscribeReply> call = await session.OpenAsync(route.Client.Subscribe, route, cancellationToken).ConfigureAwait(false);
        await call.RequestStream.WriteAsync(start, cancellationToken).ConfigureAwait(false);
        await loop.PostAsync(OnOpened, cancellationToken).ConfigureAwait(false);
        while (await call.ResponseStream.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            ReceivedFrame received = _intake.Read(Witness, channel, call.ResponseStream.Current);
            try
            {
                await loop.PostAsync(driver => OnReceived(driver, received), cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                // The session is closed while its last frame waits for the loop: the room that it took is free again.
                loop.Driver.Drop(received);
                throw;
            }

            if (channel == SubscriptionChannel.Bodies)
            {
                // R6: credit before the next frame; what is not read waits at the witness.
                await loop.Driver.Credit.WaitForRoomAsync(cancellationToken).ConfigureAwait(false);
            }

            // What is served is asked for, as the credit above says; nobody asks for tips and heartbeats by the thousand. A correct witness that has to wait tells the last tips only.
            if (received.Frame is not (CertifiedFrame or BodyFrame))
            {
                await loop.AllowanceOf(Witness).PayAsync(Allowance.CostOf(received.Frame), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private void OnOpened(ReceiverDriver driver)
    {
        if (loop.IsOpen(this))
        {
            driver.OnOpened(Witness, channel);
        }
    }

    private void OnReceived(ReceiverDriver driver, in ReceivedFrame received)
    {
        if (loop.IsOpen(this))
        {
            driver.OnReceived(received);
        }
        else
        {
            driver.Drop(received);
        }
    }

    private void OnOver(ReceiverDriver driver, string reason, bool isRefusal)
    {
        if (loop.IsOpen(this))
        {
            loop.OnOver(this);
            driver.OnClosed(Witness, channel, reason, isRefusal);
        }
    }
}
