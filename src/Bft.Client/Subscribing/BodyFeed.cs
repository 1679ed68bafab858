using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Client;

/// <summary>Reads history and live as one ordered path (R7) from one witness at a time, and goes on with the next when that one fails, lags or is silent (R4).</summary>
internal sealed class BodyFeed
{
    /// <summary>A witness that has just begun to serve is given this long before it is said to lag. Unit: milliseconds.</summary>
    private const int BeginningMs = 1000;

    private readonly IReadOnlyList<WitnessConnection> _connections;
    private readonly Session _session;
    private readonly SubscriberLoop _loop;
    private readonly Committee _committee;
    private readonly Topic _topic;
    private readonly SubscriptionOptions _options;
    private readonly ByteCredit _credit;
    private readonly Action<ClientNotice> _notify;
    private readonly AckVerifier _acks;
    private readonly BatchVerifier _batches;
    private volatile Serving? _serving;
    private int _next;

    public BodyFeed(
        IReadOnlyList<WitnessConnection> connections, Session session, SubscriberLoop loop, Committee committee, Topic topic, SubscriptionOptions options, ByteCredit credit, Action<ClientNotice> notify)
    {
        _connections = connections;
        _session = session;
        _loop = loop;
        _committee = committee;
        _topic = topic;
        _options = options;
        _credit = credit;
        _notify = notify;
        _acks = new AckVerifier(committee, Ed25519.Instance, Protocol.NodeLimits.Default.RememberedRootsMax);
        _batches = new BatchVerifier(committee.Cluster, committee.Limits, Ed25519.Instance);

        // Subscriptions spread over the witnesses.
        _next = options.FirstServing?.Value ?? Random.Shared.Next(connections.Count);
    }

    public Task RunAsync(CancellationToken cancellationToken) => Redial.RunAsync(SessionAsync, _ => { }, cancellationToken);

    /// <summary>The witness that serves did what no correct one does.</summary>
    public void OnMisbehaved(WitnessIndex witness, string what)
    {
        if (_serving is { } serving && serving.Witness == witness)
        {
            serving.End(what);
        }
    }

    /// <summary>The witness that serves seems to lag. Not believed while it has just begun, or while it is us who do not read.</summary>
    /// <param name="lagging">Null: whichever it is.</param>
    public void OnLagging(WitnessIndex? lagging)
    {
        if (_serving is { IsReading: true } serving && (lagging is null || lagging == serving.Witness) && Environment.TickCount64 - serving.Since >= BeginningMs)
        {
            serving.End("It does not serve what other witnesses have.");
        }
    }

    public void OnTick()
    {
        if (_serving is { IsReading: true } serving && Environment.TickCount64 - serving.LastHeard > _options.SilenceMax.TotalMilliseconds)
        {
            serving.End($"It was silent for {_options.SilenceMax.TotalSeconds} s.");
        }
    }

    private async Task SessionAsync(CancellationToken cancellationToken)
    {
        WitnessConnection connection = _connections[_next];
        WitnessIndex witness = connection.Witness;
        _next = (_next + 1) % _connections.Count;
        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Serving serving = new(witness, ending);
        try
        {
            using AsyncDuplexStreamingCall<ISubscribeRequest, ISubscribeReply> call = connection.Receiving.Subscribe(new CallOptions(cancellationToken: ending.Token));
            await _session.OpenAsync(call, connection, ending.Token).ConfigureAwait(false);
            StartFrame start = await StartAsync(cancellationToken).ConfigureAwait(false);
            await call.RequestStream.WriteAsync(start, ending.Token).ConfigureAwait(false);
            serving.OnHeard();
            _serving = serving;
            while (await serving.ReadAsync(call.ResponseStream, ending.Token).ConfigureAwait(false))
            {
                await HandleAsync(witness, call.ResponseStream.Current, ending.Token).ConfigureAwait(false);

                // R6: credit before the next frame; what is not read waits at the witness.
                await _credit.WaitForRoomAsync(ending.Token).ConfigureAwait(false);
            }
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            _notify(new WitnessLost(witness, serving.Reason ?? error.Message));
            throw;
        }
        finally
        {
            _serving = null;
            serving.Forget();
            await _loop.PostAsync((role, effects) => role.OnDisconnected(witness, effects), CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task<StartFrame> StartAsync(CancellationToken cancellationToken)
    {
        TaskCompletionSource<Cursor> asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await _loop.PostAsync((role, _) => asked.SetResult(role.ToSubscription()), cancellationToken).ConfigureAwait(false);
        Cursor cursor = await asked.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        Slot[] slots = [.. cursor.Positions.Select(position => new Slot(position.Key, position.Value.Next))];
        return new StartFrame(_topic, slots.Length > 0 ? StartPosition.Cursor : StartPosition.Earliest, slots, WithBodies: true);
    }

    private async ValueTask HandleAsync(WitnessIndex witness, ISubscribeReply reply, CancellationToken cancellationToken)
    {
        switch (reply)
        {
            case CertifiedFrame frame:
                CertifiedRange range = RangeOf(frame);
                await _loop.PostAsync((role, effects) => _loop.OnRange(witness, range, role, effects), cancellationToken).ConfigureAwait(false);
                break;
            case BodyFrame body:
                _credit.Add(body.Body.Length);
                await _loop.PostAsync((role, effects) => OnBody(witness, body, role, effects), cancellationToken).ConfigureAwait(false);
                break;
            case TipFrame tip when QuorumCertificate.TryParse(tip.Certificate.Span, out QuorumCertificate? shown):
                await _loop.PostAsync((role, effects) => _loop.OnTip(witness, shown, role, effects), cancellationToken).ConfigureAwait(false);
                break;
            case FloorFrame floor:
                OnFloor(witness, floor);
                await _loop.PostAsync((role, effects) => _loop.OnFloor(witness, floor.Slot, role, effects), cancellationToken).ConfigureAwait(false);
                break;
            case EndFrame { Reason: EndReason.NotAllowed } end:
                await _loop.PostAsync((_, _) => _loop.OnNotAdmitted(witness, end.Text), cancellationToken).ConfigureAwait(false);
                throw new SessionEndedException($"It does not let this client read: {end.Text}");
            case EndFrame end:
                throw new SessionEndedException($"It ended the subscription ({end.Reason}): {end.Text}");
            case TipFrame or MalformedFrame:
                throw new SessionEndedException("The witness sent bytes that are no frame.");
            default:
                break;
        }
    }

    private void OnBody(WitnessIndex witness, BodyFrame body, Protocol.Roles.ReceiverRole role, ReceiverEffects effects)
    {
        _credit.Remove(body.Body.Length);
        if (!role.OnBody(witness, body.Slot.Stream, body.Slot.Sequence, body.Body, body.BodyOwner, effects))
        {
            body.BodyOwner?.Dispose();
        }
    }

    private CertifiedRange RangeOf(CertifiedFrame frame)
    {
        if (_acks.TryVerifyCertificate(frame.Certificate.Span, out VerifiedCertificate? certificate, out RejectReason reason)
            && CertifiedRange.TryVerify(_batches, certificate, frame.Statements, out CertifiedRange? range, out reason))
        {
            return range;
        }

        throw new SessionEndedException($"The witness sent what does not verify: {reason}.");
    }

    /// <summary>R4: a floor counts only with a certificate at or above the slot before it.</summary>
    private void OnFloor(WitnessIndex witness, FloorFrame floor)
    {
        if (!_acks.TryVerifyCertificate(floor.Certificate.Span, out VerifiedCertificate? certificate, out RejectReason reason)
            || certificate.Batch.Stream != floor.Slot.Stream
            || certificate.Batch.Sequence.Following < floor.Slot.Sequence)
        {
            throw new SessionEndedException($"Witness {witness} named a floor without its proof: {reason}.");
        }
    }

    /// <summary>The session with the witness that serves.</summary>
    private sealed class Serving(WitnessIndex witness, CancellationTokenSource ending)
    {
        private readonly Lock _gate = new();
        private long _lastHeard = Environment.TickCount64;
        private volatile bool _isReading;
        private bool _isOver;

        public WitnessIndex Witness => witness;

        public long Since { get; } = Environment.TickCount64;

        public string? Reason { get; private set; }

        /// <summary>False while the application's queue is full: silence is then our own.</summary>
        public bool IsReading => _isReading;

        public long LastHeard => Volatile.Read(ref _lastHeard);

        public void OnHeard() => Volatile.Write(ref _lastHeard, Environment.TickCount64);

        public async Task<bool> ReadAsync(IAsyncStreamReader<ISubscribeReply> replies, CancellationToken cancellationToken)
        {
            OnHeard();
            _isReading = true;
            bool read = await replies.MoveNext(cancellationToken).ConfigureAwait(false);
            _isReading = false;
            return read;
        }

        public void End(string reason)
        {
            lock (_gate)
            {
                if (!_isOver)
                {
                    Reason ??= reason;
                    ending.Cancel();
                }
            }
        }

        /// <summary>The source of cancellation is going away.</summary>
        public void Forget()
        {
            lock (_gate)
            {
                _isOver = true;
            }
        }
    }
}
