using System.Diagnostics;
using Bft.Client;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;
using Delivery = Bft.Client.Delivery;

namespace Bft.Cluster.Tests.Support;

/// <summary>A publisher with one message in flight, and a reader of all of them: what everybody else feels while somebody attacks.</summary>
internal sealed class HonestLoad : IAsyncDisposable
{
    private readonly BftClient _client;
    private readonly Publisher _publisher;
    private readonly Subscription _subscription;
    private readonly CancellationTokenSource _over = new();
    private readonly CancellationTokenSource _read = new();
    private readonly List<double> _latencies = [];
    private readonly Task _publishing;
    private readonly Task _reading;
    private int _published;
    private int _received;

    private HonestLoad(BftClient client, Publisher publisher, Subscription subscription)
    {
        _client = client;
        _publisher = publisher;
        _subscription = subscription;
        _publishing = Task.Run(PublishAsync);
        _reading = Task.Run(ReadAsync);
    }

    public static async Task<HonestLoad> StartAsync(ProcessCluster cluster)
    {
        Topic topic = ProcessCluster.NewTopic();
        BftClient client = cluster.Connect("reader");
        Publisher publisher = await client.OpenPublisherAsync(topic, cancellationToken: ProcessCluster.Deadline);
        Subscription subscription = await client.SubscribeAsync(topic, cancellationToken: ProcessCluster.Deadline);
        return new HonestLoad(client, publisher, subscription);
    }

    /// <summary>What it took to publish since the last time this was asked. Unit: ms.</summary>
    public async Task<(int Count, double Median, double P99)> PhaseAsync(TimeSpan atLeast, Task until)
    {
        lock (_latencies)
        {
            _latencies.Clear();
        }

        await Task.WhenAll(Task.Delay(atLeast), until);
        lock (_latencies)
        {
            double[] sorted = [.. _latencies.Order()];
            return sorted.Length == 0 ? (0, double.NaN, double.NaN) : (sorted.Length, sorted[sorted.Length / 2], sorted[sorted.Length * 99 / 100]);
        }
    }

    /// <summary>Nothing was lost on the way.</summary>
    public async Task StopAsync()
    {
        await _over.CancelAsync();
        await _publishing.WaitAsync(ProcessCluster.Patience);
        await Wait.UntilAsync(() => _reading.IsCompleted || Volatile.Read(ref _received) == _published, "what was published is received", () => $"{_received} of {_published}");
        await _read.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _reading);
        Assert.Equal(_published, _received);
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _publishing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _read.CancelAsync();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _subscription.DisposeAsync();
        await _publisher.DisposeAsync();
        await _client.DisposeAsync();
        _over.Dispose();
        _read.Dispose();
    }

    private async Task PublishAsync()
    {
        while (!_over.IsCancellationRequested)
        {
            long begun = Stopwatch.GetTimestamp();
            await _publisher.PublishAsync(new Message(BitConverter.GetBytes(_published)), ProcessCluster.Deadline);
            _published++;
            lock (_latencies)
            {
                _latencies.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            }
        }
    }

    private async Task ReadAsync()
    {
        await foreach (Delivery delivery in _subscription.WithCancellation(_read.Token))
        {
            Assert.Equal(Volatile.Read(ref _received), BitConverter.ToInt32(delivery.Message.Payload.Span));
            Interlocked.Increment(ref _received);
        }
    }
}
