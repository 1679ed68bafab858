namespace Bft.Storage.Tests;

/// <summary>A process of its own for <see cref="FileDiskOrderTests"/>: makes a journal in a directory, and one commit in it.</summary>
internal static class Program
{
    public const string Poisoned = "poisoned";
    public const string Durable = "durable";

    private static void Main(string[] arguments)
    {
        using Journal journal = Journal.Open(FileDisk.At(arguments[0]), JournalExtensions.Small, new ReplayedRecords());
        journal.AppendNumbered(1);
        JournalCommit commit = journal.Seal()!;
        try
        {
            commit.Perform();
            journal.OnDurable(commit);
            Console.WriteLine(Durable);
        }
        catch (DiskException refused)
        {
            bool isPoisoned = Record.Exception(() => journal.AppendNumbered(2)) is JournalPoisonedException;
            Console.WriteLine($"{(isPoisoned ? Poisoned : "")} {refused.Operation} {refused.Errno}");
        }
    }
}
