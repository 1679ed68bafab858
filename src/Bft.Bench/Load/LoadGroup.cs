using Bft.Bench.Measuring;
using Bft.Bench.Running;
using Bft.Client;
using Bft.Protocol.Model;

namespace Bft.Bench.Load;

/// <summary>Publishers and receivers in one topic of a cluster, and the runs that a measurement is made of. Every receiver gets everything.</summary>
internal sealed class LoadGroup : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Four handshakes each, on a machine that has other things to do.</summary>
    private static readonly TimeSpan PatiencePerPublisher = TimeSpan.FromMilliseconds(100);

    private const long WarmBytes = 150L << 20;
    private static readonly TimeSpan WarmTimeMax = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    /// <summary>Subscriptions of one identity: each holds one or two sessions at a witness, which allows 32.</summary>
    private const int SubscriptionsPerClient = 8;

    private readonly Task _failed;

    private LoadGroup(BenchCluster cluster, BftClient control, IReadOnlyList<LoadPublisher> publishers, IReadOnlyList<LoadReceiver> receivers)
    {
        Cluster = cluster;
        Control = control;
        Publishers = publishers;
        Receivers = receivers;
        _failed = Task.WhenAny([.. publishers.Select(publisher => publisher.Failed), .. receivers.Select(receiver => receiver.Failed)]).Unwrap();
    }

    public BenchCluster Cluster { get; }

    /// <summary>Asks the witnesses how they are.</summary>
    public BftClient Control { get; }

    public IReadOnlyList<LoadPublisher> Publishers { get; }

    public IReadOnlyList<LoadReceiver> Receivers { get; }

    /// <summary>The first, whose latencies are taken.</summary>
    public LoadPublisher Publisher => Publishers[0];

    /// <inheritdoc cref="Publisher"/>
    public LoadReceiver Receiver => Receivers[0];

    /// <summary>Never completes, but fails when a party does.</summary>
    public Task Failed => _failed;

    /// <summary>Messages accepted, of all publishers.</summary>
    public long Sent => Publishers.Sum(publisher => publisher.Sent);

    /// <summary>Messages certified, of all publishers.</summary>
    public long Certified => Publishers.Sum(publisher => publisher.Certified);

    /// <summary>Messages delivered, to all receivers together.</summary>
    public long Delivered => Receivers.Sum(receiver => receiver.Delivered);

    /// <summary>Of the bodies of batches that are certified, of all publishers.</summary>
    public long BodyBytes => Publishers.Sum(publisher => publisher.BodyBytes);

    /// <summary>Of the batches certified since this was called last.</summary>
    public BatchSizes TakeBatchSizes()
    {
        BatchSizes all = new(new Histogram(), new Histogram());
        foreach (LoadPublisher publisher in Publishers)
        {
            all.Add(publisher.TakeBatchSizes());
        }

        return all;
    }

    /// <summary>Identities that so many receivers need.</summary>
    public static int ClientsOf(int receivers) => (receivers + SubscriptionsPerClient - 1) / SubscriptionsPerClient;

    /// <summary>Opens all, and waits until a first message of each publisher has come through: then the witnesses ack, and every connection is up.</summary>
    public static async Task<LoadGroup> OpenAsync(BenchCluster cluster, Payloads payloads, CancellationToken cancellationToken, int publishers = 1, int receivers = 1, Topic? topic = null)
    {
        Topic common = topic ?? BenchCluster.Topic;
        BftClient[] receiving = [.. Enumerable.Range(0, ClientsOf(receivers)).Select(index => cluster.Connect(BenchCluster.ReceiverName(index)))];
        List<LoadReceiver> opened = [];
        for (int i = 0; i < receivers; i++)
        {
            opened.Add(await ReceiveAsync(receiving[i / SubscriptionsPerClient], payloads, cancellationToken, common));
        }

        IEnumerable<Task<Publisher>> opening = Enumerable.Range(0, publishers)
            .Select(index => cluster.Connect(BenchCluster.PublisherName(index)).OpenPublisherAsync(common, cancellationToken: cancellationToken));
        LoadGroup group = new(cluster, receiving[0], [.. (await Task.WhenAll(opening)).Select(publisher => new LoadPublisher(publisher, payloads))], opened);
        await Task.WhenAll(group.Publishers.Select(publisher => publisher.SendOneAsync())).WaitAsync(Patience + (publishers * PatiencePerPublisher), cancellationToken);
        await group.WhenAllDeliveredAsync(cancellationToken);
        return group;
    }

    /// <summary>One more receiver, from the first message kept.</summary>
    public static async Task<LoadReceiver> ReceiveAsync(BftClient client, Payloads payloads, CancellationToken cancellationToken, Topic? topic = null) =>
        new(await client.SubscribeAsync(topic ?? BenchCluster.Topic, cancellationToken: cancellationToken), payloads);

    /// <summary>As fast as messages are accepted, until 150 MiB are certified or 20 s have passed: on a machine that does other things too, time alone warms nothing up.</summary>
    public async Task WarmUpAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        long end = Monotonic.Now + (WarmTimeMax.Ticks * TimeSpan.NanosecondsPerTick);
        Task sending = SendFastAsync(stop.Token);
        while (BodyBytes < WarmBytes && Monotonic.Now < end)
        {
            await DelayAsync(Look, cancellationToken);
        }

        await stop.CancelAsync();
        await sending;
        await WhenAllDeliveredAsync(cancellationToken);
        await Cluster.WhenLevelAsync(Control, cancellationToken);
    }

    /// <summary>Publishes as fast as messages are accepted, and measures from the end of the warm-up on.</summary>
    public async Task<Sustained> RunFastAsync(TimeSpan warmUp, TimeSpan time, CancellationToken cancellationToken) => (await RunFastAsync(warmUp, time, 1, cancellationToken))[0];

    /// <summary>The same, in several parts of that time, one right behind the other.</summary>
    public async Task<IReadOnlyList<Sustained>> RunFastAsync(TimeSpan warmUp, TimeSpan time, int parts, CancellationToken cancellationToken)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task sending = SendFastAsync(stop.Token);
        await DelayAsync(warmUp, cancellationToken);
        List<Sustained> all = [];
        Usage before = await Usage.TakeAsync(this, cancellationToken);
        for (int part = 0; part < parts; part++)
        {
            await DelayAsync(time, cancellationToken);
            Usage after = await Usage.TakeAsync(this, cancellationToken);
            all.Add(new Sustained(before, after));
            before = after;
        }

        await stop.CancelAsync();
        await sending;
        await WhenAllDeliveredAsync(cancellationToken);
        return all;
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
        await await Task.WhenAny(sending, _failed);
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
        while (Certified < Sent || Receivers.Any(receiver => receiver.Delivered < Sent))
        {
            await DelayAsync(Look, cancellationToken);
            (long Certified, long Delivered) now = (Certified, Delivered);
            if (now != last)
            {
                (last, movedAt) = (now, Monotonic.Now);
            }
            else if (Monotonic.Now - movedAt > Patience.Ticks * TimeSpan.NanosecondsPerTick)
            {
                throw new LoadFailedException($"Of {Sent} messages {now.Certified} were certified and {now.Delivered} delivered, then nothing moved for {Patience.TotalSeconds:0} s.");
            }
        }
    }

    /// <summary>Waits, and fails at once when a party does.</summary>
    public async Task DelayAsync(TimeSpan time, CancellationToken cancellationToken) =>
        await await Task.WhenAny(Task.Delay(time, cancellationToken), _failed);

    /// <summary>All publishers as fast as they may, until cancelled.</summary>
    public Task SendFastAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(Publishers.Select(publisher => Task.Run(() => publisher.SendFastAsync(cancellationToken), CancellationToken.None)));

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(Publishers.Select(publisher => publisher.DisposeAsync().AsTask()));
        await Task.WhenAll(Receivers.Select(receiver => receiver.DisposeAsync().AsTask()));
    }
}
