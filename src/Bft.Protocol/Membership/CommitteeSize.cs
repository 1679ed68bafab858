namespace Bft.Protocol.Membership;

/// <summary>The number of witnesses in a committee, and the vote counts that follow from it.</summary>
/// <remarks>
/// The only place where a threshold is computed. Two facts hold for every size, and CommitteeSizeTests checks them for all of them:
/// any two quorums share a correct witness (2·Quorum − Count &gt; FaultyMax), and the correct witnesses alone form a quorum.
/// </remarks>
public readonly record struct CommitteeSize
{
    /// <summary>3·1 + 1: the fewest of which one may lie.</summary>
    public const int Min = 4;

    /// <summary>A set of witnesses fits the bits of one ulong.</summary>
    public const int Max = 64;

    private readonly int _count;

    /// <exception cref="ArgumentOutOfRangeException">The count is not in 4 … 64.</exception>
    public CommitteeSize(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, Min);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Max);
        _count = count;
    }

    /// <summary>Witnesses in the committee, n.</summary>
    /// <exception cref="InvalidOperationException">This is default(CommitteeSize).</exception>
    public int Count => _count != 0 ? _count : throw new InvalidOperationException("default(CommitteeSize) is no committee.");

    /// <summary>How many of them may be Byzantine: f = ⌊(n − 1) / 3⌋.</summary>
    public int FaultyMax => (Count - 1) / 3;

    /// <summary>Votes that certify a batch: ⌊(n + f) / 2⌋ + 1, which is 2f + 1 when n = 3f + 1.</summary>
#if PLANTED
    public int Quorum => Crypto.Planted.Is("quorum-2f") ? 2 * FaultyMax : Crypto.Planted.Is("quorum-2f1") ? (2 * FaultyMax) + 1 : ((Count + FaultyMax) / 2) + 1;
#else
    public int Quorum => ((Count + FaultyMax) / 2) + 1;
#endif

    /// <summary>Fewest witnesses of which one is surely correct: f + 1.</summary>
    public int OneCorrect => FaultyMax + 1;

    /// <summary>How many are surely there to answer: n − f.</summary>
    public int Responsive => Count - FaultyMax;
}
