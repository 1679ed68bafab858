namespace Bft.Storage;

/// <summary>The records of a checkpoint that is being made (S2).</summary>
/// <param name="begin">Its first record.</param>
internal sealed class Snapshot(byte[] begin)
{
    private readonly RecordRun _records = new();
    private readonly List<(byte[] Bytes, Action<JournalPosition> Placed)> _pages = [];
    private readonly List<JournalPosition> _places = [];

    public void Add(WitnessRecordKind kind, byte[] head) => _records.Add((byte)kind, head);

    /// <summary>Adds a page of an index, and says its number.</summary>
    public int AddPage(byte[] bytes, Action<JournalPosition> placed)
    {
        _pages.Add((bytes, placed));
        return _pages.Count - 1;
    }

    /// <summary>Appends everything, pages before the streams that name them.</summary>
    public void AppendTo(Journal journal)
    {
        journal.Append((byte)WitnessRecordKind.Checkpoint, begin);
        foreach ((byte[] bytes, Action<JournalPosition> _) in _pages)
        {
            _places.Add(journal.Append((byte)WitnessRecordKind.Page, [], bytes));
        }

        journal.Append(_records);
    }

    /// <summary>The checkpoint is sealed: its pages lie where its first copy has them.</summary>
    public void Place()
    {
        for (int i = 0; i < _pages.Count; i++)
        {
            _pages[i].Placed(_places[i]);
        }
    }
}
