using Bft.Bench.Measuring;
using Bft.Bench.Running;
using Bft.Client;

namespace Bft.Bench.Load;

/// <summary>One publisher and one receiver in a topic of a cluster, and the runs that a measurement is made of.</summary>
internal sealed class LoadPair : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    private LoadPair(BenchCluster cluster, BftClient control, LoadPublisher publisher, LoadReceiver receiver)
    {
        Cluster = cluster;
        Control = control;
        Publisher = publisher;
        Receiver = receiver;
    }

    public BenchCluster Cluster { get; }

    /// <summary>Asks the witnesses how they are.</summary>
    public BftClient Control { get; }

    public LoadPublisher Publisher { get; }

    public LoadReceiver Receiver { get; }

    /// <summary>Opens both, and waits until a first message has come through: then the witnesses ack, and every connection is up.</summary>
    public static async Task<LoadPair> OpenAsync(BenchCluster cluster, Payloads payloads, CancellationToken cancellationToken)
    {
        BftClient publishing = cluster.Connect(BenchCluster.Publisher);
        BftClient receiving = cluster.Connect(BenchCluster.Receiver);
        Publisher publisher = await publishing.OpenPublisherAsync(BenchCluster.Topic, cancellationToken: cancellationToken);
        Subscription subscription = await receiving.SubscribeAsync(BenchCluster.Topic, cancellationToken: cancellationToken);
        LoadPair pair = new(cluster, receiving, new LoadPublisher(publisher, payloads), new LoadReceiver(subscription, payloads));
        await pair.Publisher.SendOneAsync().WaitAsync(Patience, cancellationToken);
        await pair.WhenAllDeliveredAsync(cancellationToken);
        return pair;
    }

    /// <summary>Publishes as fast as messages are accepted, and measures from the end of the warm-up on.</summary>
    public async Task<Sustained> RunFastAsync(TimeSpan warmUp, TimeSpan time, CancellationToken cancellationToken)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task sending = Task.Run(() => Publisher.SendFastAsync(stop.Token), CancellationToken.None);
        await DelayAsync(warmUp, cancellationToken);
        Usage before = await Usage.TakeAsync(this, cancellationToken);
        await DelayAsync(time, cancellationToken);
        Usage after = await Usage.TakeAsync(this, cancellationToken);
        await stop.CancelAsync();
        await sending;
        await WhenAllDeliveredAsync(cancellationToken);
        return new Sustained(before, after);
    }

    /// <summary>Publishes at a fixed rate, whatever comes back, and takes the latencies of all messages due after the warm-up, from when each was due.</summary>
    public async Task<(LatencyProbe Latency, Sustained Use)> RunOpenLoopAsync(double rate, TimeSpan warmUp, TimeSpan time, CancellationToken cancellationToken)
    {
        Schedule schedule = new(rate);
        long warmTicks = (long)warmUp.TotalMilliseconds;
        long ticks = warmTicks + (long)time.TotalMilliseconds;
        long first = Publisher.Sent;
        long measured = warmTicks == 0 ? 0 : schedule.DueBy(warmTicks - 1);
        long begin = Monotonic.Now + (10 * Schedule.TickNanoseconds);
        LatencyProbe probe = new(first + measured, schedule.DueBy(ticks - 1) - measured, message => begin + (schedule.TickOf(message - first) * Schedule.TickNanoseconds));
        (Publisher.Probe, Receiver.Probe) = (probe, probe);
        Task sending = Publisher.SendOnScheduleAsync(schedule, begin, ticks, cancellationToken);
        await DelayAsync(warmUp, cancellationToken);
        Usage before = await Usage.TakeAsync(this, cancellationToken);
        await await Task.WhenAny(sending, Publisher.Failed, Receiver.Failed);
        Usage after = await Usage.TakeAsync(this, cancellationToken);
        await WhenAllDeliveredAsync(cancellationToken);
        (Publisher.Probe, Receiver.Probe) = (null, null);
        return (probe, new Sustained(before, after));
    }

    /// <summary>Waits until what was sent is certified, and delivered.</summary>
    /// <exception cref="LoadFailedException">Nothing moved for a minute.</exception>
    public async Task WhenAllDeliveredAsync(CancellationToken cancellationToken)
    {
        (long Certified, long Delivered) last = default;
        long movedAt = Monotonic.Now;
        while (Publisher.Certified < Publisher.Sent || Receiver.Delivered < Publisher.Sent)
        {
            await DelayAsync(Look, cancellationToken);
            (long Certified, long Delivered) now = (Publisher.Certified, Receiver.Delivered);
            if (now != last)
            {
                (last, movedAt) = (now, Monotonic.Now);
            }
            else if (Monotonic.Now - movedAt > Patience.Ticks * TimeSpan.NanosecondsPerTick)
            {
                throw new LoadFailedException($"Of {Publisher.Sent} messages {now.Certified} were certified and {now.Delivered} delivered, then nothing moved for {Patience.TotalSeconds:0} s.");
            }
        }
    }

    /// <summary>Waits, and fails at once when a party does.</summary>
    public async Task DelayAsync(TimeSpan time, CancellationToken cancellationToken) =>
        await await Task.WhenAny(Task.Delay(time, cancellationToken), Publisher.Failed, Receiver.Failed);

    public async ValueTask DisposeAsync()
    {
        await Publisher.DisposeAsync();
        await Receiver.DisposeAsync();
    }
}
