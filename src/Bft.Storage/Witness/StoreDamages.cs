using Bft.Protocol.Model;

namespace Bft.Storage;

/// <summary>A part of what is stored and certified that reads back wrong.</summary>
/// <param name="Stream">Whose.</param>
/// <param name="Sequence">The slot; of a certificate, the one that it names.</param>
/// <param name="IsCertificate">The certificate; otherwise the statement or the body.</param>
public readonly record struct DamagedPart(StreamId Stream, Sequence Sequence, bool IsCertificate = false)
{
    /// <summary>By stream; the statements and bodies of a stream first.</summary>
    internal static Comparer<DamagedPart> Order { get; } = Comparer<DamagedPart>.Create(static (one, other) =>
    {
        int stream = one.Stream.CompareTo(other.Stream);
        int kind = one.IsCertificate.CompareTo(other.IsCertificate);
        return stream != 0 ? stream : kind != 0 ? kind : one.Sequence.CompareTo(other.Sequence);
    });
}

/// <summary>What was found damaged, by a read or by a <see cref="Scrub"/>, and is not mended yet. Any thread.</summary>
public sealed class StoreDamages
{
    /// <summary>Most parts that are remembered; what is beyond is found again.</summary>
    private const int PartsMax = 64 * 1024;

    private readonly Lock _lock = new();
    private readonly SortedSet<DamagedPart> _parts = new(DamagedPart.Order); // bound: PartsMax
    private long _mended;

    /// <summary>Parts that cannot be read.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _parts.Count;
            }
        }
    }

    /// <summary>Parts that lie elsewhere again, since the start.</summary>
    public long Mended => Volatile.Read(ref _mended);

    public bool Contains(DamagedPart part)
    {
        lock (_lock)
        {
            return _parts.Contains(part);
        }
    }

    /// <summary>The first one behind another, or else the first of all; with how many slots in a row the same happened to.</summary>
    /// <returns>Null when nothing is damaged.</returns>
    public (DamagedPart First, Sequence To)? After(DamagedPart last, int slotsMax)
    {
        lock (_lock)
        {
            if (_parts.Count == 0)
            {
                return null;
            }

            DamagedPart first = DamagedPart.Order.Compare(_parts.Max, last) <= 0 ? _parts.Min : _parts.GetViewBetween(last, _parts.Max).First(part => part != last);
            Sequence to = first.Sequence;
            for (int slots = 1; slots < slotsMax && !first.IsCertificate && _parts.Contains(first with { Sequence = to.Following }); slots++)
            {
                to = to.Following;
            }

            return (first, to);
        }
    }

    /// <summary>It is cut, or comes again with the next commit.</summary>
    public void Remove(DamagedPart part)
    {
        lock (_lock)
        {
            _parts.Remove(part);
        }
    }

    internal void Add(DamagedPart part)
    {
        lock (_lock)
        {
            if (_parts.Count < PartsMax)
            {
                _parts.Add(part);
            }
        }
    }

    internal void OnMended(DamagedPart part)
    {
        Remove(part);
        Interlocked.Increment(ref _mended);
    }
}
