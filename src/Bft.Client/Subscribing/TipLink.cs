using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Client;

/// <summary>Follows one witness's tips, for R4 and for R5's f + 1. Costs no bodies.</summary>
internal sealed class TipLink(WitnessConnection connection, Session session, Topic topic, Func<WitnessIndex, QuorumCertificate, CancellationToken, ValueTask> onTip, Action<WitnessIndex> onHeartbeat)
{
    public WitnessIndex Witness => connection.Witness;

    /// <param name="onAdmission">Told whether the witness lets the client read: null when it does, else why not.</param>
    /// <param name="notify">Told of sessions.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task RunAsync(Func<WitnessIndex, string?, ValueTask> onAdmission, Action<ClientNotice> notify, CancellationToken cancellationToken) => Redial.RunAsync(
        async token =>
        {
            try
            {
                await SessionAsync(onAdmission, notify, token).ConfigureAwait(false);
            }
            catch (RpcException refused) when (refused.StatusCode is StatusCode.Unauthenticated or StatusCode.PermissionDenied)
            {
                await onAdmission(Witness, refused.Status.Detail).ConfigureAwait(false);
                throw;
            }
        },
        error => notify(new WitnessLost(Witness, error.Message)),
        cancellationToken);

    private async Task SessionAsync(Func<WitnessIndex, string?, ValueTask> onAdmission, Action<ClientNotice> notify, CancellationToken cancellationToken)
    {
        using AsyncDuplexStreamingCall<ISubscribeRequest, ISubscribeReply> call = connection.Receiving.Subscribe(new CallOptions(cancellationToken: cancellationToken));
        await session.OpenAsync(call, connection, cancellationToken).ConfigureAwait(false);
        notify(new WitnessReached(Witness));
        await call.RequestStream.WriteAsync(new StartFrame(topic, StartPosition.Earliest, [], WithBodies: false), cancellationToken).ConfigureAwait(false);
        while (await call.ResponseStream.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            switch (call.ResponseStream.Current)
            {
                case TipFrame tip when QuorumCertificate.TryParse(tip.Certificate.Span, out QuorumCertificate? shown):
                    await onTip(Witness, shown, cancellationToken).ConfigureAwait(false);
                    break;
                case HeartbeatFrame:
                    await onAdmission(Witness, null).ConfigureAwait(false);
                    onHeartbeat(Witness);
                    break;
                case EndFrame end:
                    if (end.Reason == EndReason.NotAllowed)
                    {
                        await onAdmission(Witness, end.Text).ConfigureAwait(false);
                    }

                    throw new SessionEndedException($"It ended the subscription ({end.Reason}): {end.Text}");
                case TipFrame or MalformedFrame:
                    throw new SessionEndedException("The witness sent bytes that are no frame.");
                case BodyFrame body:
                    // Not asked for.
                    body.BodyOwner?.Dispose();
                    break;
                default:
                    break;
            }
        }
    }
}
