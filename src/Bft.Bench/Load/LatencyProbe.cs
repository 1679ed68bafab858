using Bft.Bench.Measuring;

namespace Bft.Bench.Load;

/// <summary>Takes the latencies of some messages of a run, from when each was due. Thread-safe.</summary>
/// <param name="first">The first message that counts.</param>
/// <param name="count">How many count.</param>
/// <param name="dueAt">When a message was due; see <see cref="Monotonic.Now"/>.</param>
internal sealed class LatencyProbe(long first, long count, Func<long, long> dueAt)
{
    private readonly Lock _gate = new();

    /// <summary>From due to certified at the publisher. Unit: nanoseconds. Read when the run is over.</summary>
    public Histogram Certified { get; } = new();

    /// <summary>From due to in the receiver's hands. Unit: nanoseconds. Read when the run is over.</summary>
    public Histogram Delivered { get; } = new();

    public void OnCertified(long from, long number, long time) => Record(Certified, from, number, time);

    public void OnDelivered(long from, long number, long time) => Record(Delivered, from, number, time);

    private void Record(Histogram histogram, long from, long number, long time)
    {
        lock (_gate)
        {
            long end = Math.Min(from + number, first + count);
            for (long message = Math.Max(from, first); message < end; message++)
            {
                histogram.Record(time - dueAt(message));
            }
        }
    }
}
