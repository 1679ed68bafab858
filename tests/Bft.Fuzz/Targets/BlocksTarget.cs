using System.Text;
using Bft.Storage;

namespace Bft.Fuzz.Targets;

/// <summary>The journal itself, whoever's records it has.</summary>
internal sealed class BlocksTarget() : JournalTarget("journal")
{
    protected override IEnumerable<(string Name, Action<IDisk> Write)> Samples()
    {
        yield return ("few", disk => Write(disk, commits: 1));
        yield return ("many", disk => Write(disk, commits: 2));
    }

    protected override string Open(IDisk disk)
    {
        Replayed replayed = new();
        using Journal journal = Journal.Open(disk, new JournalOptions { NewId = Id }, replayed);

        // Whether the tail is in doubt is decided once; the records are what counts.
        return replayed.Text.ToString();
    }

    private static void Write(IDisk disk, int commits)
    {
        using Journal journal = Journal.Open(disk, new JournalOptions { NewId = Id }, new Replayed());
        for (int commit = 0; commit < commits; commit++)
        {
            for (int record = 0; record <= commit; record++)
            {
                journal.Append((byte)(1 + record), Encoding.ASCII.GetBytes($"head {commit}.{record}"), Encoding.ASCII.GetBytes(new string('b', 100 * record)));
            }

            Perform(journal, journal.Seal());
        }

        Perform(journal, journal.SealProof());
    }

    private static void Perform(Journal journal, JournalCommit? commit)
    {
        if (commit is not null)
        {
            commit.Perform();
            journal.OnDurable(commit);
        }
    }

    private sealed class Replayed : IJournalReplay
    {
        public StringBuilder Text { get; } = new();

        public void OnRecord(ulong mark, byte kind, ReadOnlySpan<byte> head, JournalPosition body) => Text.Append(kind).Append(':').Append(head.Length).Append('+').Append(body.Length).Append(' ');
    }
}
