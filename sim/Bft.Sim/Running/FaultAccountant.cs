namespace Bft.Sim;

/// <summary>Keeps faults within the model: witnesses that are Byzantine, have lost memory, or are gone for ever are at most f together.</summary>
/// <remarks>Crashes from which a witness comes back with its disk are free, and so is whatever happens to publishers and receivers.</remarks>
/// <param name="faultyMax">f.</param>
/// <param name="isUnlimited">Beyond the model: everything is granted, and still counted.</param>
internal sealed class FaultAccountant(int faultyMax, bool isUnlimited)
{
    private readonly SortedDictionary<int, string> _faulty = [];
    private readonly SortedDictionary<string, long> _excuses = new(StringComparer.Ordinal);

    /// <summary>Why witnesses do less than they might, counted.</summary>
    public IReadOnlyDictionary<string, long> Excuses => _excuses;

    /// <summary>Witnesses that count against f.</summary>
    public int Spent => _faulty.Count;

    public bool IsBeyondModel => _faulty.Count > faultyMax;

    public bool IsFaulty(int witness) => _faulty.ContainsKey(witness);

    /// <summary>Charges a witness; one that was charged before costs nothing more. False when the budget is spent: then the fault must not happen.</summary>
    public bool TrySpend(int witness, string reason)
    {
        if (!_faulty.ContainsKey(witness))
        {
            if (!isUnlimited && _faulty.Count >= faultyMax)
            {
                return false;
            }

            _faulty.Add(witness, reason);
        }

        Excuse(reason);
        return true;
    }

    /// <summary>Counts a reason that costs nothing: a publisher that is gone, a batch lost before it left.</summary>
    public void Excuse(string reason) => _excuses[reason] = _excuses.GetValueOrDefault(reason) + 1;
}
