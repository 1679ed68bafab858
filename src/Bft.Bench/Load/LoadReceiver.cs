using Bft.Bench.Measuring;
using Bft.Bench.Running;
using Bft.Client;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;

namespace Bft.Bench.Load;

/// <summary>One receiver that checks every message: its bytes, its place, that none is missing and none comes twice.</summary>
internal sealed class LoadReceiver : IAsyncDisposable
{
    private readonly Subscription _subscription;
    private readonly Payloads _payloads;
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _reading;
    private readonly Dictionary<StreamId, long> _next = []; // bound: the publishers of the run
    private long _delivered;
    private volatile LatencyProbe? _probe;

    public LoadReceiver(Subscription subscription, Payloads payloads)
    {
        _subscription = subscription;
        _payloads = payloads;
        _reading = Task.Run(ReadAsync);
    }

    /// <summary>Messages delivered and found right.</summary>
    public long Delivered => Volatile.Read(ref _delivered);

    /// <summary>Is told of every batch.</summary>
    public LatencyProbe? Probe
    {
        get => _probe;
        set => _probe = value;
    }

    /// <summary>Never completes, but fails when the receiver does.</summary>
    public Task Failed => _failed.Task;

    public async ValueTask DisposeAsync()
    {
        await _subscription.DisposeAsync();
        await _reading;
        _ = _failed.Task.Exception;
    }

    private async Task ReadAsync()
    {
        try
        {
            await foreach (DeliveredBatch batch in _subscription.ReadBatchesAsync())
            {
                long now = Monotonic.Now;
                long first = _next.GetValueOrDefault(batch.Header.Id);
                Check(batch.Messages, first);
                _probe?.OnDelivered(first, batch.Count, now);
                _next[batch.Header.Id] = first + batch.Count;
                Volatile.Write(ref _delivered, _delivered + batch.Count);
            }
        }
        catch (Exception error)
        {
            _failed.TrySetException(error);
        }
    }

    private void Check(ReadOnlySpan<DecodedMessage> messages, long first)
    {
        for (int i = 0; i < messages.Length; i++)
        {
            ReadOnlySpan<byte> payload = messages[i].Message.Payload.Span;
            if (Payloads.NumberOf(payload) != first + i)
            {
                throw new LoadFailedException($"Message {Payloads.NumberOf(payload)} came where {first + i} belongs. If the receiver is more than {BenchCluster.RetainBytes >> 30} GiB behind, the witnesses keep no more: try fewer publishers.");
            }

            if (!_payloads.IsWhole(payload))
            {
                throw new LoadFailedException($"Message {first + i} is not what was sent.");
            }
        }
    }
}
