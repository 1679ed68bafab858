using Bft.Bench.Load;
using Bft.Bench.Measuring;

namespace Bft.Bench.Peers;

/// <summary>What a publisher has sent, what was acked, and what a consumer saw and checked. One thread sends, one tells of acks, one of deliveries.</summary>
internal sealed class Tally(Payloads payloads)
{
    /// <summary>A sender that met a full window goes on when this part of it is free, or one message: woken for each ack, it would send as many packets.</summary>
    private const int FreePart = 8;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    private readonly object _gate = new();
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _sent;
    private long _acked;
    private long _delivered;
    private long _wakeAt = long.MaxValue; // acks for which the sender waits
    private volatile LatencyProbe? _probe;

    public Payloads Payloads => payloads;

    public long Sent => Volatile.Read(ref _sent);

    public long Acked => Volatile.Read(ref _acked);

    public long Delivered => Volatile.Read(ref _delivered);

    /// <summary>Never completes, but fails with the first problem.</summary>
    public Task Failed => _failed.Task;

    public LatencyProbe? Probe
    {
        get => _probe;
        set => _probe = value;
    }

    /// <summary>Before a message leaves: an answer may overtake whatever comes after.</summary>
    public void OnSending() => Volatile.Write(ref _sent, _sent + 1);

    /// <summary>The first so many messages are acked.</summary>
    public void OnAcked(long count)
    {
        long before = _acked;
        if (count == before)
        {
            return;
        }

        if (count < before || count > Sent)
        {
            Fail(new PeerFailedException($"Message {count} was acked when {before} had been, of {Sent} sent."));
            return;
        }

        _probe?.OnCertified(before, count - before, Monotonic.Now);
        Interlocked.Exchange(ref _acked, count);
        if (count >= Volatile.Read(ref _wakeAt))
        {
            lock (_gate)
            {
                Monitor.PulseAll(_gate);
            }
        }
    }

    public void OnDelivered(ReadOnlySpan<byte> payload)
    {
        long number = _delivered;
        if (Payloads.NumberOf(payload) != number)
        {
            Fail(new PeerFailedException($"Message {Payloads.NumberOf(payload)} came where {number} belongs."));
        }
        else if (!payloads.IsWhole(payload))
        {
            Fail(new PeerFailedException($"Message {number} is not what was sent."));
        }
        else
        {
            _probe?.OnDelivered(number, 1, Monotonic.Now);
            Volatile.Write(ref _delivered, number + 1);
        }
    }

    public void Fail(Exception problem)
    {
        _failed.TrySetException(problem);
        lock (_gate)
        {
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Whether one more may be sent now.</summary>
    public bool HasRoom(int window) => _sent - Acked < window;

    /// <summary>Blocks this thread until more may be sent; also returns when that will never be.</summary>
    public void WaitForRoom(int window, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            // A full fence on both sides: either the ack sees for what we wait, or we see the ack.
            long enough = _sent - window + Math.Max(1, window / FreePart);
            Interlocked.Exchange(ref _wakeAt, enough);
            while (Acked < enough && !_failed.Task.IsCompleted && !cancellationToken.IsCancellationRequested)
            {
                Monitor.Wait(_gate, Look);
            }

            Volatile.Write(ref _wakeAt, long.MaxValue);
        }
    }
}
