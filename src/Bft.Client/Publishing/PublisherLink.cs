using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Publishing;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Client;

/// <summary>A publisher's sessions with one witness: what waits is written, what comes is verified here, outside the role, and posted.</summary>
internal sealed class PublisherLink(WitnessConnection connection, Session session, PublisherLoop loop, Committee committee, PublisherOptions options, Action<ClientNotice> notify)
{
    private readonly AckVerifier _acks = new(committee, Ed25519.Instance, Protocol.NodeLimits.Default.RememberedRootsMax);
    private readonly BatchVerifier _batches = new(committee.Cluster, committee.Limits, Ed25519.Instance);
    private QuorumCertificate? _tip;

    public WitnessIndex Witness => connection.Witness;

    public SendQueue Queue { get; } = new(options.SendQueueBytesMax);

    public bool IsConnected { get; private set; }

    /// <summary>The newest tip that the witness showed and nobody took.</summary>
    public QuorumCertificate? TakeTip() => Interlocked.Exchange(ref _tip, null);

    public Task RunAsync(CancellationToken cancellationToken) => Redial.RunAsync(
        SessionAsync,
        error =>
        {
            notify(new WitnessLost(Witness, error.Message));
            if (error is RpcException { StatusCode: StatusCode.Unauthenticated or StatusCode.PermissionDenied })
            {
                _ = loop.PostAsync((_, _) => loop.OnNotAdmitted(Witness), cancellationToken).AsTask();
            }
        },
        cancellationToken);

    private async Task SessionAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using AsyncDuplexStreamingCall<IPublishRequest, IPublishReply> call = connection.Publishing.Publish(new CallOptions(cancellationToken: ending.Token));
        await session.OpenAsync(call, connection, ending.Token).ConfigureAwait(false);
        notify(new WitnessReached(Witness));
        Queue.Open();
        Task writing = Task.CompletedTask;
        try
        {
            await loop.PostAsync((role, effects) => SetConnected(true, role, effects), cancellationToken).ConfigureAwait(false);
            writing = WriteAsync(call.RequestStream, ending.Token);
            Task reading = ReadAsync(call.ResponseStream, ending.Token);
            await (await Task.WhenAny(reading, writing).ConfigureAwait(false)).ConfigureAwait(false);
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Queue.Close();
            await loop.PostAsync((role, effects) => SetConnected(false, role, effects), CancellationToken.None).ConfigureAwait(false);
        }
    }

    private void SetConnected(bool isConnected, Protocol.Roles.PublisherRole role, PublisherEffects effects)
    {
        IsConnected = isConnected;
        if (isConnected)
        {
            loop.OnConnected(this, role, effects);
        }
        else
        {
            role.OnDisconnected(Witness);
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
            }
        }
    }

    private async Task ReadAsync(IAsyncStreamReader<IPublishReply> replies, CancellationToken cancellationToken)
    {
        while (await replies.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            if (Read(replies.Current) is { } input)
            {
                await loop.PostAsync(input, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>What a reply is for the role; null when it is nothing. Verification happens here, on this witness's own task.</summary>
    private PublisherInput? Read(IPublishReply reply)
    {
        switch (reply)
        {
            case AcksFrame acks when AckBundle.TryParse(committee.Cluster, acks.Bundle.Span, out AckBundle? bundle):
                if (bundle.Leaves.All(leaf => loop.IsCovered(leaf.Statement.Batch.Slot)))
                {
                    // Certified without it: the slower half of a committee costs no signature.
                    return null;
                }

                VerifiedAck[] verified = Required(_acks.TryVerify(bundle, out VerifiedAck[]? all, out RejectReason reason), all, reason);
                return (role, effects) => role.OnAcks(verified, effects);
            case CertifiedFrame certified:
                VerifiedCertificate certificate = Required(_acks.TryVerifyCertificate(certified.Certificate.Span, out VerifiedCertificate? one, out reason), one, reason);
                return (role, effects) => role.OnCertificate(certificate, effects);
            case TipFrame tip when QuorumCertificate.TryParse(tip.Certificate.Span, out QuorumCertificate? shown):
                _tip = shown;
                return null;
            case RefusalFrame frame when frame.TryParse(committee.Cluster, out Refusal? refusal):
                CheckedRefusal @checked = CheckedRefusal.Check(refusal, _batches, _acks);
                return (role, effects) => role.OnRefusal(Witness, @checked, effects);
            case AcksFrame or TipFrame or RefusalFrame or MalformedFrame:
                throw new SessionEndedException("The witness sent bytes that are no frame.");
            default:
                // Heartbeats, frames of a later version, and requests for what other witnesses hold too (W8).
                return null;
        }
    }

    /// <summary>An ack or certificate that does not verify comes from a faulty witness: its session ends.</summary>
    private T Required<T>(bool isVerified, T? value, RejectReason reason)
        where T : class
    {
        if (isVerified)
        {
            return value!;
        }

        notify(new WitnessMisbehaved(Witness, $"It sent what does not verify: {reason}."));
        throw new SessionEndedException($"The witness sent what does not verify: {reason}.");
    }
}
