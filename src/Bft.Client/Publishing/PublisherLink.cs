using Bft.Protocol.Membership;
using Bft.Wire.Frames;
using Bft.Wire.Services;
using Grpc.Core;

namespace Bft.Client;

/// <summary>A publisher's sessions with one witness: what waits is written, what comes is verified here, outside the driver's task, and posted.</summary>
internal sealed class PublisherLink(WitnessConnection connection, Session session, PublisherLoop loop, SendQueue queue, Action<ClientNotice> notify)
{
    /// <summary>What a batch is answered with: an ack bundle, whose root is perhaps its own, and a tip.</summary>
    private const long AnswerCost = Allowance.Signature + (6 * Allowance.Frame);

    private readonly Allowance _allowance = new();

    public WitnessIndex Witness => connection.Witness;

    public SendQueue Queue => queue;

    public Task RunAsync(CancellationToken cancellationToken) => Redial.RunAsync(
        SessionAsync,
        error =>
        {
            notify(new WitnessLost(Witness, error.Message));
            if (error is RpcException { StatusCode: StatusCode.Unauthenticated or StatusCode.PermissionDenied })
            {
                _ = loop.PostAsync(driver => driver.OnNotAdmitted(Witness), cancellationToken).AsTask();
            }
        },
        cancellationToken);

    private async Task SessionAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Route route = connection.Publishing;
        using AsyncDuplexStreamingCall<IPublishRequest, IPublishReply> call = await session.OpenAsync(route.Client.Publish, route, ending.Token).ConfigureAwait(false);
        notify(new WitnessReached(Witness));
        Queue.Open();
        Task writing = Task.CompletedTask;
        try
        {
            await loop.PostAsync(driver => driver.OnConnected(Witness), cancellationToken).ConfigureAwait(false);
            writing = WriteAsync(call.RequestStream, ending.Token);
            Task reading = ReadAsync(call.ResponseStream, ending.Token);
            await (await Task.WhenAny(reading, writing).ConfigureAwait(false)).ConfigureAwait(false);
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Queue.Close();
            await loop.PostAsync(driver => driver.OnDisconnected(Witness), CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task WriteAsync(IClientStreamWriter<IPublishRequest> requests, CancellationToken cancellationToken)
    {
        while (true)
        {
            (IPublishRequest frame, SharedBody? body) = await Queue.TakeAsync(cancellationToken).ConfigureAwait(false);
            using (body)
            {
                await requests.WriteAsync(frame, cancellationToken).ConfigureAwait(false);
                _allowance.Earn(body is null ? Allowance.Frame : AnswerCost);
            }
        }
    }

    private async Task ReadAsync(IAsyncStreamReader<IPublishReply> replies, CancellationToken cancellationToken)
    {
        PublishReplies verifier = loop.RepliesOf(Witness);
        while (await replies.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            IPublishReply frame = replies.Current;
            VerifiedReply? reply = verifier.Verify(frame);
            if (reply is BadReply bad)
            {
                // It comes from a faulty witness: its session ends.
                notify(new WitnessMisbehaved(Witness, bad.What));
                throw new SessionEndedException(bad.What);
            }

            if (reply is not null)
            {
                await loop.PostAsync(driver => driver.OnReply(Witness, reply), cancellationToken).ConfigureAwait(false);
            }

            await _allowance.PayAsync(verifier.TakeCost(frame), cancellationToken).ConfigureAwait(false);
        }
    }
}
