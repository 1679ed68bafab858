using Bft.Crypto;

namespace Bft.Node;

/// <summary>Who is served next, and how much at a time: fair queuing between parties; within one, first come first served among turns of one size.</summary>
/// <remarks>
/// Several turns are served at a time, as in Jin, Chase, Kaur: Interposed Proportional Sharing (SIGMETRICS 2004). The present is where the <i>earliest</i> of them began: a party that asks again before
/// its last turn is done loses nothing, however late it was told. Work-conserving: what is below the bound is given to whoever waits. No threads and no clock.
/// Small turns go first while their party is not far ahead of its share: one of a hundred that wants a hundredth stands exactly at its share, so whatever it sends unevenly would wait for a turn of each.
/// </remarks>
internal sealed class FairOrder<T>
{
    /// <summary>Turns served at a time, however large they are: one is verified while another is flushed.</summary>
    public const int TurnsMin = 2;

    /// <summary>Turns that the mean size remembers.</summary>
    private const double Remembered = 64;

    private readonly FairTime _time = new();
    private readonly SortedSet<Turn> _waiting = new(Turn.ByPlace); // bound: what callers may have waiting
    private readonly SortedSet<Turn> _serving = new(Turn.ByStart); // bound: twice BytesMax, as each turn has at least one byte
    private long _number;
    private double _sizes;   // of the last turns, and
    private double _squares; // theirs: a byte lies in a turn of so many, on average

    /// <summary>A turn is given while less than this is being served, or fewer than <see cref="TurnsMin"/>, so that the last one may exceed it by its own size. Unit: bytes.</summary>
    public required long BytesMax { get; set; }

    /// <summary>Small turns go first while their party, at a weight of 1, is ahead of its share by less than this. Unit: that of costs. <value>Default 0.</value></summary>
    public long AheadMax { get; init; }

    /// <summary>As for <see cref="FairTime.BehindMax"/>: at a busy witness the next frame of a publisher may come some milliseconds after a commit made room, and others have taken that.</summary>
    public long BehindMax { get => _time.BehindMax; init => _time.BehindMax = value; }

    /// <summary>Being served. Unit: bytes.</summary>
    public long Bytes { get; private set; }

    /// <summary>Unit: bytes.</summary>
    public long WaitingBytes { get; private set; }

    public int WaitingCount => _waiting.Count;

    /// <param name="party">Who wants a turn.</param>
    /// <param name="weight">Its share beside the others'; at least 1.</param>
    /// <param name="cost">What the turn counts for between parties; at least 1.</param>
    /// <param name="bytes">What it counts for in the bound; at least 1.</param>
    /// <param name="item">The caller's own.</param>
    /// <param name="after">This turn is not served before that one, of the same party.</param>
    public Turn Ask(PublicKey party, int weight, long cost, long bytes, T item, Turn? after = null)
    {
        Remember(bytes);
        Int128 start = _time.StartOf(party);
        Int128 end = FairTime.EndOf(start, cost, weight);
        Turn turn = new(start, end, IsSmall(bytes) ? AheadMax : 0, _number++, bytes, item, after);
        _time.Charge(party, turn.End);
        _waiting.Add(turn);
        WaitingBytes += bytes;
        return turn;
    }

    /// <summary>The next turn to be served; null when none waits, or none may be served now.</summary>
    public Turn? Next()
    {
        if (_waiting.Min is not { } next || !Fits(next))
        {
            return null;
        }

        _waiting.Remove(next);
        WaitingBytes -= next.Bytes;
        _serving.Add(next);
        Bytes += next.Bytes;
        Advance();
        return next;
    }

    /// <summary>A turn was served, or whoever asked wants it no more; what it cost stays spent.</summary>
    public void End(Turn turn)
    {
        if (_serving.Remove(turn))
        {
            Bytes -= turn.Bytes;
        }
        else if (_waiting.Remove(turn))
        {
            WaitingBytes -= turn.Bytes;
        }

        Advance();
    }

    /// <summary>A small turn that is next does not wait until a large one ends; all of these together get as much again as the bound.</summary>
    private bool Fits(Turn next) => Bytes < BytesMax || _serving.Count < TurnsMin || (next.IsSmall && Bytes < 2 * BytesMax);

    /// <summary>Below three quarters of the turn that a byte lies in on average: those who want much determine it, and where all turns are of one size none is small.</summary>
    private bool IsSmall(long bytes) => bytes * _sizes <= 0.75 * _squares;

    private void Remember(long bytes)
    {
        _sizes += (bytes - _sizes) / Remembered;
        _squares += (((double)bytes * bytes) - _squares) / Remembered;
    }

    private void Advance()
    {
        if (_serving.Min is { } earliest)
        {
            _time.AdvanceTo(earliest.Start);
        }
        else if (_waiting.Count == 0)
        {
            _time.OnIdle();
        }
    }

    /// <summary>A place in the order.</summary>
    internal sealed class Turn(Int128 start, Int128 end, long ahead, long number, long bytes, T item, Turn? after)
    {
        /// <summary>Equal places: who asked first.</summary>
        public static readonly IComparer<Turn> ByPlace = Comparer<Turn>.Create((left, right) => (left._place, left._number).CompareTo((right._place, right._number)));

        public static readonly IComparer<Turn> ByStart = Comparer<Turn>.Create((left, right) => (left.Start, left._number).CompareTo((right.Start, right._number)));

        private readonly Int128 _place = Int128.Max(FairTime.EndOf(end, -ahead, 1), after?._place ?? 0);
        private readonly long _number = number;

        public Int128 Start { get; } = start;

        public Int128 End { get; } = end;

        public long Bytes { get; } = bytes;

        public bool IsSmall { get; } = ahead > 0;

        public T Item { get; } = item;
    }
}
