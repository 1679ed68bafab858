using System.Diagnostics;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Membership;

namespace Bft.Node.Tests.Ingress;

public sealed class PublisherGateTests
{
    private const long BytesMax = 100; // what one call asks for here is the bound itself, so two are served at a time
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly PublicKey[] _keys = [.. Enumerable.Range(1, 6).Select(KeyOf)];
    private ClusterFile _cluster;
    private readonly PublisherGate _gate;

    public PublisherGateTests()
    {
        _cluster = Cluster("", "");
        _gate = new PublisherGate(() => _cluster, new AdmissionBound(BytesMax, BytesMax));
    }

    [Fact]
    public async Task Many_calls_of_one_identity_are_one_share()
    {
        using IDisposable first = await EnterAsync(0);
        Task<IDisposable>[] greedy = [.. Enumerable.Range(0, 20).Select(_ => EnterAsync(0))];
        Task<IDisposable> modest = EnterAsync(1);

        first.Dispose();
        (await modest.WaitAsync(Patience)).Dispose();
        Assert.False(greedy[^1].IsCompleted);
        foreach (Task<IDisposable> waiting in greedy)
        {
            (await waiting.WaitAsync(Patience)).Dispose();
        }
    }

    [Fact]
    public async Task Weights_count_from_the_moment_when_they_are_read()
    {
        using IDisposable first = await EnterAsync(2);
        _cluster = Cluster("weight: 3", "");
        List<Task<IDisposable>> all = [];
        for (int i = 0; i < 12; i++)
        {
            all.Add(EnterAsync(0));
            all.Add(EnterAsync(1));
        }

        first.Dispose();
        int[] served = [0, 0];
        for (int turns = 0; turns < 12; turns++)
        {
            Task<IDisposable> next = await Task.WhenAny(all.Where(waiting => waiting is not null)).WaitAsync(Patience);
            int at = all.IndexOf(next);
            served[at % 2]++;
            all[at] = null!;
            (await next).Dispose();
        }

        Assert.InRange(served[0], 8, 10); // 9 to 3
    }

    [Fact]
    public async Task Whoever_leaves_while_it_waits_stops_nobody()
    {
        using IDisposable first = await EnterAsync(0), second = await EnterAsync(0);
        using CancellationTokenSource over = new();
        Task<IDisposable> leaving = EnterAsync(1, cancellationToken: over.Token);
        Task<IDisposable> staying = EnterAsync(0);
        await over.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);

        first.Dispose();
        (await staying.WaitAsync(Patience)).Dispose();
    }

    [Fact]
    public async Task A_call_may_ask_ahead_until_so_much_of_it_waits_or_of_all_together()
    {
        const int MiB = 1024 * 1024;
        Assert.True(_gate.MayAskAhead(255 * 1024));
        Assert.False(_gate.MayAskAhead(256 * 1024));

        using IDisposable first = await EnterAsync(0), second = await EnterAsync(0);
        using CancellationTokenSource over = new();
        Task<IDisposable>[] waiting = [.. Enumerable.Range(0, 32).Select(_ => EnterAsync(0, MiB, over.Token))];
        Assert.False(_gate.MayAskAhead(0));

        await over.CancelAsync();
        await Task.WhenAll(waiting).ContinueWith(_ => { }, TaskScheduler.Default);
        Assert.True(_gate.MayAskAhead(0));
    }

    [Theory]
    [InlineData("messagesPerSecond: 1")]
    [InlineData("bytesPerSecond: 10")]
    public async Task An_identity_above_its_rate_waits_and_others_do_not(string rate)
    {
        _cluster = Cluster(rate, "");
        (await EnterAsync(0)).Dispose();
        using CancellationTokenSource over = new();
        Task<IDisposable> second = EnterAsync(0, cancellationToken: over.Token);

        for (int i = 0; i < 100; i++)
        {
            (await EnterAsync(1).WaitAsync(Patience)).Dispose();
        }

        Assert.False(second.IsCompleted);
        await over.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
    }

    [Theory]
    [InlineData("messagesPerSecond: 1")]
    [InlineData("bytesPerSecond: 1")]
    public async Task The_rate_of_all_is_shared_in_fair_order(string rate)
    {
        _cluster = Cluster("", $"sharing:\n  {rate}\n");
        using CancellationTokenSource over = new();
        Task<IDisposable>[] greedy = [.. Enumerable.Range(0, 60).Select(_ => EnterAsync(0, bytes: 1, over.Token))];
        Task<IDisposable> modest = EnterAsync(1, bytes: 1);

        (await modest.WaitAsync(Patience)).Dispose();
        Assert.InRange(greedy.Count(waiting => waiting.IsCompleted), 1, 40);
        await over.CancelAsync();
    }

    [Fact]
    public void A_pace_is_kept_over_time_and_a_pause_is_worth_a_tenth_of_a_second()
    {
        Pace pace = default;
        long now = 1_000_000_000;
        long end = now + 10_000_000;
        int taken = 0;
        while (now < end)
        {
            pace.Take(1, 1000, now);
            taken++;
            now += pace.Wait(now);
        }

        Assert.InRange(taken, 10_099, 10_101);
    }

    [Theory]
    [InlineData(1_000_000, 0, 1000)]          // slower than the least: the least
    [InlineData(100_000_000, 0, 1_000_000)]   // the processor is what is short: 10 ms of what it does
    [InlineData(100_000_000, 60_000, 1000)]   // so is the disk, however much waits for it
    [InlineData(1_000_000_000, 1000, 4_000_000)] // a quick one: the most
    public void What_is_admitted_of_those_who_share_takes_about_10_ms(long perSecond, long latencyMicroseconds, long bytes)
    {
        AdmissionBound bound = new(1000, 4_000_000);
        long now = 1_000_000;
        while (now < 10_000_000)
        {
            long done = Shared(bound, now);
            now += latencyMicroseconds + (done * 1_000_000 / perSecond);
            bound.OnFull();
            bound.OnDone(done, now);
        }

        Assert.InRange(Shared(bound, now), bytes * 0.7, Math.Max(bytes * 1.4, 30_000));
    }

    [Fact]
    public async Task More_is_admitted_at_a_time_when_what_is_admitted_is_soon_done()
    {
        PublisherGate gate = new(() => _cluster, new AdmissionBound(BytesMax, 100 * BytesMax));
        int asked = 0;
        Queue<Task<IDisposable>> calls = new(Enumerable.Range(0, 50).Select(_ => EnterAsync()));
        long begun = Stopwatch.GetTimestamp();
        while (calls.Count(call => call.IsCompleted) < 10)
        {
            Assert.True(Stopwatch.GetElapsedTime(begun) < Patience, "It stays at its least.");
            (await calls.Dequeue().WaitAsync(Patience)).Dispose();
            calls.Enqueue(EnterAsync());
        }

        Task<IDisposable> EnterAsync() => PublisherGateTests.EnterAsync(gate, _keys[asked++ % 2], new PublishCost(BytesMax, 1));
    }

    [Fact]
    public void What_is_done_while_nobody_waits_changes_no_bound()
    {
        AdmissionBound bound = new(1000, 4_000_000);
        long now = 1_000_000;
        for (; Shared(bound, now) < 4_000_000; now += 5_000)
        {
            bound.OnFull();
            bound.OnDone(Shared(bound, now), now);
        }

        for (int i = 0; i < 100; i++, now += 10_000)
        {
            bound.OnDone(100, now);
        }

        Assert.Equal(4_000_000, Shared(bound, now));
    }

    [Fact]
    public void A_bound_at_most_doubles_or_halves_at_a_time_goes_by_the_time_that_passed_and_not_by_a_pause()
    {
        AdmissionBound bound = new(1000, 4_000_000);
        long now = 1_000_000;
        Assert.Equal(1000, Shared(bound, now));
        foreach (long grown in new[] { 1000, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000 }) // the first time it ends is a pause
        {
            Assert.Equal(grown, After(10_000, done: 1_000_000));
        }

        Assert.Equal(40_000, After(40_000, done: 160_000));
        Assert.Equal(40_000, After(5_000_000, done: 100));
        Assert.Equal(20_000, After(10_000, done: 100));

        long After(long microseconds, long done)
        {
            now += microseconds;
            bound.OnFull();
            bound.OnDone(done, now);
            return Shared(bound, now);
        }
    }

    [Fact]
    public async Task Who_leaves_without_its_turn_has_done_nothing()
    {
        PublisherGate gate = new(() => _cluster, new AdmissionBound(BytesMax, 1000 * BytesMax));
        using IDisposable first = await EnterAsync(gate, _keys[0], new PublishCost(BytesMax, 1)), second = await EnterAsync(gate, _keys[1], new PublishCost(BytesMax, 1));
        for (long begun = Stopwatch.GetTimestamp(), i = 0; Stopwatch.GetElapsedTime(begun) < TimeSpan.FromMilliseconds(300); i++)
        {
            using CancellationTokenSource over = new();
            Task<IDisposable> leaving = EnterAsync(gate, _keys[i % 2], new PublishCost(1000 * BytesMax, 1), over.Token);
            await over.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        }

        Task<IDisposable> third = EnterAsync(gate, _keys[2], new PublishCost(BytesMax, 1));
        Assert.False(third.IsCompleted);
        first.Dispose();
        (await third.WaitAsync(Patience)).Dispose();
    }

    [Fact]
    public async Task Who_waits_for_the_rate_of_all_goes_on_though_nobody_else_asks_and_no_turn_ends()
    {
        _cluster = Cluster("", "sharing:\n  messagesPerSecond: 50\n");
        PublisherGate gate = new(() => _cluster, new AdmissionBound(1_000_000, 1_000_000));

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => EnterAsync(gate, _keys[0], new PublishCost(1, 1)))).WaitAsync(Patience);
    }

    [Fact]
    public async Task A_small_frame_of_a_call_does_not_overtake_a_large_one_before_it()
    {
        // What is large on average first, so that the last one is small.
        PublisherGate gate = new(() => _cluster, new AdmissionBound(1, 1));
        using IDisposable first = await EnterAsync(gate, _keys[0], new PublishCost(100_000, 1)), second = await EnterAsync(gate, _keys[0], new PublishCost(100_000, 1));
        using PublisherGate.Admission large = await gate.AskAsync(_keys[1], new PublishCost(1_500_000, 1), after: null, default);
        using PublisherGate.Admission small = await gate.AskAsync(_keys[1], new PublishCost(1, 1), after: large, default);
        using PublisherGate.Admission other = await gate.AskAsync(_keys[1], new PublishCost(1, 1), after: null, default);

        first.Dispose();
        await other.Given.WaitAsync(Patience);
        Assert.False(small.Given.IsCompleted);
        other.Dispose();
        await large.Given.WaitAsync(Patience);
    }

    [Fact]
    public void One_that_is_alone_gets_all_until_another_asks_and_again_when_it_was_alone_for_a_while()
    {
        AdmissionBound bound = new(1000, 4_000_000);
        bound.OnAsked(_keys[0], 1_000_000);
        bound.OnAsked(_keys[0], 1_000_001);
        Assert.Equal(4_000_000, bound.BytesAt(1_000_002));

        bound.OnAsked(_keys[1], 2_000_000);
        bound.OnAsked(_keys[1], 2_000_001);
        Assert.Equal(1000, bound.BytesAt(11_999_999));
        Assert.Equal(4_000_000, bound.BytesAt(12_000_000));
    }

    [Fact]
    public async Task Few_batches_count_by_what_is_in_them_and_many_by_what_they_cost_too()
    {
        // Both ask for 20 batches of which nothing is content; those of the one come after so many that it is no longer seldom.
        for (int i = 0; i < 100; i++)
        {
            (await EnterAsync(0, bytes: 1).WaitAsync(Patience)).Dispose();
        }

        using IDisposable first = await EnterAsync(2, 10 * BytesMax), second = await EnterAsync(2, 10 * BytesMax);
        Task<IDisposable>[] often = [.. Enumerable.Range(0, 20).Select(_ => SendAsync(0))];
        Task<IDisposable>[] seldom = [.. Enumerable.Range(0, 20).Select(_ => SendAsync(1))];
        first.Dispose();
        second.Dispose();
        foreach (Task<IDisposable> batch in seldom)
        {
            (await batch.WaitAsync(Patience)).Dispose();
        }

        // What the last ones left free, and one that came 5 ms after another.
        Assert.InRange(often.Count(batch => batch.IsCompleted), 0, FairOrder<int>.TurnsMin + 4);

        Task<IDisposable> SendAsync(int client) => EnterAsync(_gate, _keys[client], new PublishCost(1_000_000, 1, PerBatch: 999_999));
    }

    /// <summary>While two share.</summary>
    private long Shared(AdmissionBound bound, long now)
    {
        bound.OnAsked(_keys[0], now);
        bound.OnAsked(_keys[1], now);
        return bound.BytesAt(now);
    }

    private Task<IDisposable> EnterAsync(int client, long bytes = BytesMax, CancellationToken cancellationToken = default) =>
        EnterAsync(_gate, _keys[client], new PublishCost(bytes, 1), cancellationToken);

    /// <summary>As a call with one frame.</summary>
    private static async Task<IDisposable> EnterAsync(PublisherGate gate, PublicKey publisher, PublishCost cost, CancellationToken cancellationToken = default)
    {
        PublisherGate.Admission turn = await gate.AskAsync(publisher, cost, after: null, cancellationToken);
        try
        {
            await turn.Given.WaitAsync(cancellationToken);
            return turn;
        }
        catch (OperationCanceledException)
        {
            turn.Dispose();
            throw;
        }
    }

    /// <summary>Three clients of which the first has something to it.</summary>
    private ClusterFile Cluster(string first, string root)
    {
        string yaml = NewCluster.Create(
            "gate",
            new byte[Genesis.NonceLength],
            [.. Enumerable.Range(0, 4).Select(index => new WitnessEntry(new WitnessIndex(index), new Uri($"https://127.0.0.1:{7000 + index}"), KeyOf(index + 10), Sha256.Hash([(byte)index])))],
            [.. Enumerable.Range(0, 3).Select(index => new ClientEntry($"c{index}", _keys[index]))],
            ClusterLimits.Default).ToYaml();
        string key = $"key: \"{_keys[0]}\"\n";
        Assert.Contains(key, yaml, StringComparison.Ordinal);
        return ClusterFile.Parse(yaml.Replace(key, $"{key}    {first}\n", StringComparison.Ordinal) + root, "cluster.yaml");
    }

    private static PublicKey KeyOf(int number)
    {
        byte[] seed = new byte[Ed25519Signer.SeedLength];
        seed[0] = (byte)number;
        using Ed25519Signer signer = new(seed);
        return signer.PublicKey;
    }
}
