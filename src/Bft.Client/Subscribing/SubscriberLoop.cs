using System.Security.Cryptography;
using System.Threading.Channels;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;
using Bft.Wire.Services;
using Covered = Bft.Protocol.Receiving.Delivery;

namespace Bft.Client;

/// <summary>One thing that happened to a subscription, for its driver to decide about.</summary>
internal delegate void ReceiverInput(ReceiverDriver driver);

/// <summary>A batch on its way to the application.</summary>
internal readonly record struct DeliveryInOrder(Covered Covered, bool IsPossibleRepeat);

/// <summary>Owns a subscription's driver: one task feeds it and does what it decides. Everything else talks to it through a bounded channel.</summary>
internal sealed class SubscriberLoop : IReceiverOutputs
{
    private const int InputsMax = 1024;
    private static readonly TimeSpan TellTime = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(20);

    private readonly IReadOnlyList<WitnessConnection> _connections;
    private readonly Allowance[] _allowances;
    private readonly Session _session;
    private readonly Topic _topic;
    private readonly HandOvers _handOvers;
    private readonly Action<ClientNotice> _notify;
    private readonly Channel<ReceiverInput> _inputs = Channel.CreateBounded<ReceiverInput>(new BoundedChannelOptions(InputsMax) { SingleReader = true });
    private readonly Channel<DeliveryInOrder> _deliveries = Channel.CreateUnbounded<DeliveryInOrder>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
    private readonly TaskCompletionSource<Cursor> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<SubscribeSession> _open = [];
    private readonly List<Task> _running = []; // also those that were closed, until they are over
    private SubscriptionException? _end;
    private CancellationToken _ending;

    public SubscriberLoop(
        IReadOnlyList<WitnessConnection> connections, Session session, Committee committee, Topic topic, SubscriptionOptions options, CursorStore? cursor, Action<ClientNotice> notify)
    {
        _connections = connections;
        _allowances = [.. connections.Select(_ => new Allowance())];
        _session = session;
        _topic = topic;
        _notify = notify;
        _handOvers = new HandOvers(connections, session, PostAsync);
        ulong chance = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        Driver = new ReceiverDriver(committee, Ed25519.Instance, topic, cursor, options, chance, this);
    }

    public ReceiverDriver Driver { get; }

    /// <summary>What a witness may cost by frames that serve nothing, over all its sessions here.</summary>
    public Allowance AllowanceOf(WitnessIndex witness) => _allowances[witness.Value];

    /// <summary>In order; at most as many bytes as <see cref="ByteCredit"/> lets in. Completes with the reason why the subscription ended.</summary>
    public ChannelReader<DeliveryInOrder> Deliveries => _deliveries.Reader;

    /// <summary>Where "from now on" is; comes only to a subscription that begins there.</summary>
    public Task<Cursor> StartedFrom => _started.Task;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Exception? end = null;
        using CancellationTokenSource ended = new();
        _ending = ended.Token;
        Task ticking = TickAsync(ended.Token);
        try
        {
            while (await _inputs.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                while (_inputs.Reader.TryRead(out ReceiverInput? input))
                {
                    input(Driver);
                    if (_end is not null)
                    {
                        throw _end;
                    }
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
            if (end is null)
            {
                _started.TrySetCanceled(CancellationToken.None);
            }
            else
            {
                _started.TrySetException(end);
            }

            if (end is ForkException)
            {
                // The witnesses are being told (C2); the application knows already. Disposing waits for it.
                await Task.Delay(TellTime, CancellationToken.None).ConfigureAwait(false);
            }

            await ended.CancelAsync().ConfigureAwait(false);
            await ticking.ConfigureAwait(false);
            await Task.WhenAll(_running).ConfigureAwait(false);
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

    /// <summary>The same for one session: nothing of a session that the driver closed reaches it. On the loop.</summary>
    public bool IsOpen(SubscribeSession session) => _open.Contains(session);

    /// <summary>A session is over by itself. On the loop.</summary>
    public void OnOver(SubscribeSession session) => _open.Remove(session);

    void IReceiverOutputs.Open(WitnessIndex witness, StartFrame start, SubscriptionChannel channel)
    {
        SubscribeSession opened = new(_connections[witness.Value], _session, this, start, channel, _ending);
        _open.Add(opened);
        _running.RemoveAll(task => task.IsCompleted);
        _running.Add(Task.Run(opened.RunAsync, CancellationToken.None));
    }

    void IReceiverOutputs.Close(WitnessIndex witness, SubscriptionChannel channel)
    {
        SubscribeSession closed = _open.Single(session => session.Witness == witness && session.Channel == channel);
        _open.Remove(closed);
        closed.End();
    }

    void IReceiverOutputs.HandOver(WitnessIndex witness, IReadOnlyList<IPublishRequest> frames)
    {
        _running.RemoveAll(task => task.IsCompleted);
        _running.Add(_handOvers.Send(witness, frames, _ending));
    }

    void IReceiverOutputs.Started(Cursor start) => _started.TrySetResult(start);

    void IReceiverOutputs.Deliver(Covered covered, bool isPossibleRepeat) => _deliveries.Writer.TryWrite(new DeliveryInOrder(covered, isPossibleRepeat));

    void IReceiverOutputs.Forked(Fork fork, IReadOnlyList<VerifiedEvidence> evidence) => _end = new ForkException(_topic, fork, evidence);

    void IReceiverOutputs.Refused(string why) => _end = new SubscriptionRefusedException(_topic, why);

    void IReceiverOutputs.Notify(ClientNotice notice) => _notify(notice);

    private async Task TickAsync(CancellationToken cancellationToken)
    {
        using PeriodicTimer timer = new(Tick);
        try
        {
            do
            {
                await PostAsync(static driver => driver.OnTick(Environment.TickCount64), cancellationToken).ConfigureAwait(false);
            }
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }
}
