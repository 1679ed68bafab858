using System.Numerics;

namespace Bft.Bench.Measuring;

/// <summary>Counts of durations in buckets that are log-linear, as in HdrHistogram: a quantile is exact up to a known share of itself, whatever the range. Not thread-safe.</summary>
/// <remarks>
/// A value below 2 · <see cref="SubBuckets"/> has a bucket of its own. Above, each doubling of the value is cut into <see cref="SubBuckets"/> buckets of equal width, so a bucket is at most 1/<see cref="SubBuckets"/> (0.78 %) of
/// its lowest value wide. Quantiles give the bucket's highest value, never less than what was recorded; the maximum is exact.
/// </remarks>
public sealed class Histogram
{
    /// <summary>Buckets per doubling.</summary>
    public const int SubBuckets = 1 << SubBucketBits;

    private const int SubBucketBits = 7;

    private readonly long[] _counts = new long[IndexOf(long.MaxValue) + 1]; // 58 · 128 longs: 58 KiB

    public long Count { get; private set; }

    /// <summary>The largest value recorded, exactly; 0 when there is none.</summary>
    public long Max { get; private set; }

    /// <summary>Counts values; one below 0 counts as 0.</summary>
    public void Record(long value, long count = 1)
    {
        long recorded = Math.Max(0, value);
        _counts[IndexOf(recorded)] += count;
        Count += count;
        Max = count > 0 ? Math.Max(Max, recorded) : Max;
    }

    public void Add(Histogram other)
    {
        ArgumentNullException.ThrowIfNull(other);
        for (int i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }

        Count += other.Count;
        Max = Math.Max(Max, other.Max);
    }

    /// <summary>The value that this share of all values does not exceed (nearest rank), rounded up to its bucket's highest value; 0 when there is none.</summary>
    /// <param name="share">From 0 to 1.</param>
    public long Quantile(double share)
    {
        long rank = Math.Max(1, (long)Math.Ceiling(share * Count));
        long seen = 0;
        for (int i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (seen >= rank)
            {
                return Math.Min(HighestOf(i), Max);
            }
        }

        return Max;
    }

    /// <summary>Which bucket a value falls into.</summary>
    internal static int IndexOf(long value)
    {
        int shift = Math.Max(0, 63 - BitOperations.LeadingZeroCount((ulong)value) - SubBucketBits);
        return (shift << SubBucketBits) + (int)(value >> shift);
    }

    /// <summary>The largest value of a bucket.</summary>
    internal static long HighestOf(int index)
    {
        int shift = Math.Max(0, (index >> SubBucketBits) - 1);
        long mantissa = index - ((long)shift << SubBucketBits);
        return unchecked(((mantissa + 1) << shift) - 1);
    }
}
