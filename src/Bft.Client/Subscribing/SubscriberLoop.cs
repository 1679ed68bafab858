using System.Threading.Channels;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Roles;
using Bft.Protocol.Verification;
using Covered = Bft.Protocol.Receiving.Delivery;

namespace Bft.Client;

/// <summary>One thing that happened to a subscription, for its role to decide about.</summary>
internal delegate void ReceiverInput(ReceiverRole role, ReceiverEffects effects);

/// <summary>Owns a subscription's role: one task feeds it and does what it decides. Everything else talks to it through a bounded channel.</summary>
internal sealed class SubscriberLoop
{
    private const int InputsMax = 1024;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(20);

    private readonly Committee _committee;
    private readonly ReceiverRole _role;
    private readonly TipBoard _tips;
    private readonly FloorBoard _floors;
    private readonly ByteCredit _credit;
    private readonly Action<ClientNotice> _notify;
    private readonly ReceiverEffects _effects = new();
    private readonly Channel<ReceiverInput> _inputs = Channel.CreateBounded<ReceiverInput>(new BoundedChannelOptions(InputsMax) { SingleReader = true });
    private readonly Channel<Covered> _deliveries = Channel.CreateUnbounded<Covered>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
    private WitnessSet _notAdmitting;
    private ulong _misbehaved;

    public SubscriberLoop(Committee committee, Cursor start, SubscriptionOptions options, ByteCredit credit, Action<ClientNotice> notify)
    {
        _committee = committee;
        _credit = credit;
        _notify = notify;
        BatchVerifier batches = new(committee.Cluster, committee.Limits, Ed25519.Instance);
        _role = new ReceiverRole(committee, batches, start, ReceiverOptions.Default with { BufferedBytesMax = options.QueueBytesMax });
        _tips = new TipBoard(committee);
        _floors = new FloorBoard(committee);
    }

    /// <summary>In order; at most as many bytes as <see cref="ByteCredit"/> lets in. Completes with the reason why the subscription ended.</summary>
    public ChannelReader<Covered> Deliveries => _deliveries.Reader;

    /// <summary>Gets the bodies. Set before the loop runs.</summary>
    public BodyFeed? Feed { get; set; }

    /// <summary>Where certificates are handed over (R5). Set before the loop runs.</summary>
    public Action<HandOver>? OnHandOver { get; set; }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Exception? end = null;
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task ticking = TickAsync(ended.Token);
        try
        {
            while (await _inputs.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                while (_inputs.Reader.TryRead(out ReceiverInput? input))
                {
                    input(_role, _effects);
                    Perform();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
        catch (Exception reason)
        {
            // Nothing ends a subscription in silence: the enumeration throws it.
            end = reason;
        }
        finally
        {
            _inputs.Writer.TryComplete();
            _deliveries.Writer.TryComplete(end);
            await ended.CancelAsync().ConfigureAwait(false);
            await ticking.ConfigureAwait(false);
        }
    }

    /// <summary>Waits while the loop has more to do than it may queue.</summary>
    public async ValueTask PostAsync(ReceiverInput input, CancellationToken cancellationToken)
    {
        try
        {
            await _inputs.Writer.WriteAsync(input, cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            // The subscription has ended: nothing matters any more.
        }
    }

    /// <summary>Whether the witness misbehaved since this was last asked; on any thread.</summary>
    public bool TakeMisbehaved(WitnessIndex witness) => (Interlocked.And(ref _misbehaved, ~(1UL << witness.Value)) & (1UL << witness.Value)) != 0;

    /// <summary>A witness's tip, as it came. On the loop.</summary>
    public void OnTip(WitnessIndex from, QuorumCertificate tip, ReceiverRole role, ReceiverEffects effects)
    {
        _tips.OnTip(from, tip, role, effects);
        _floors.OnTip(from, tip.Batch);
    }

    /// <summary>The serving witness's statements. On the loop.</summary>
    public void OnRange(WitnessIndex from, CertifiedRange range, ReceiverRole role, ReceiverEffects effects)
    {
        role.OnRange(from, range, effects);
        _tips.OnCovered(range.Header.Id, role, effects);
    }

    /// <summary>A proven floor of a witness (R4). On the loop.</summary>
    public void OnFloor(WitnessIndex from, Slot floor, ReceiverRole role, ReceiverEffects effects)
    {
        Sequence wanted = role.ToSubscription().PositionOf(floor.Stream).Next;
        if (_floors.OnFloor(from, floor, wanted) is { } accepted)
        {
            role.OnAcceptedFloor(floor.Stream, accepted, effects);
        }
        else
        {
            Feed!.OnLagging(from);
        }
    }

    /// <summary>A witness does not let this client read; when f + 1 say so, a correct one does. On the loop.</summary>
    public void OnNotAdmitted(WitnessIndex witness, string why)
    {
        _notAdmitting = _notAdmitting.With(witness);
        if (_notAdmitting.Count >= _committee.Size.OneCorrect)
        {
            throw new SubscriptionRefusedException(_role.Topic, $"the witnesses do not let this key read: {why} Add it under clients and topics in every witness's cluster.yaml.");
        }
    }

    /// <summary>A witness opened a session. On the loop.</summary>
    public void OnAdmitted(WitnessIndex witness) => _notAdmitting = _notAdmitting.Without(witness);

    private async Task TickAsync(CancellationToken cancellationToken)
    {
        using PeriodicTimer timer = new(Tick);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
            {
                await PostAsync(OnTick, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    private void OnTick(ReceiverRole role, ReceiverEffects effects)
    {
        _tips.OnTick(role, effects);
        Feed!.OnTick();
        role.OnTick(effects);
    }

    private void Perform()
    {
        foreach (Covered delivery in _effects.Deliveries)
        {
            _credit.Add(delivery.Batch.Body.Length);
            _deliveries.Writer.TryWrite(delivery);
        }

        _credit.SetHeld(_role.BufferedBytes);
        foreach (Skipped skipped in _effects.Skipped)
        {
            _notify(new SlotsSkipped(skipped.Stream, skipped.First, skipped.Floor));
        }

        foreach (Misbehaved misbehaved in _effects.Misbehaved)
        {
            string what = $"It sent what does not verify: {misbehaved.Reason}.";
            _notify(new WitnessMisbehaved(misbehaved.Witness, what));
            Feed!.OnMisbehaved(misbehaved.Witness, what);
            Interlocked.Or(ref _misbehaved, 1UL << misbehaved.Witness.Value);
        }

        foreach (HandOver handOver in _effects.HandOvers)
        {
            OnHandOver!(handOver);
        }

        if (_effects.Wanted.Count > 0)
        {
            Feed!.OnLagging(_effects.Wanted[0].NotFrom);
        }

        Fork? fork = _effects.Fork;
        _effects.Clear();
        if (fork is not null)
        {
            throw ForkOf(fork);
        }
    }

    private ForkException ForkOf(Fork fork)
    {
        EvidenceVerifier verifier = new(_committee, Ed25519.Instance);
        List<VerifiedEvidence> evidence = [];
        foreach (Evidence claim in fork.ToEvidence(_committee))
        {
            if (verifier.TryVerify(claim, out VerifiedEvidence? verified, out _))
            {
                evidence.Add(verified);
                _notify(new EvidenceSeen(verified));
            }
        }

        return new ForkException(_role.Topic, fork, evidence);
    }
}
