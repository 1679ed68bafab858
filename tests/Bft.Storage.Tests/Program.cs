using System.Net.Sockets;

namespace Bft.Storage.Tests;

/// <summary>
/// A process of its own. For <see cref="FileDiskOrderTests"/> it makes a journal in a directory, and one commit in it; for <see cref="Sockets.LocalSocketTests"/> it listens on a Unix socket until
/// its input ends.
/// </summary>
internal static class Program
{
    public const string Poisoned = "poisoned";
    public const string Durable = "durable";
    public const string Listen = "listen";
    public const string Listening = "listening";

    private static void Main(string[] arguments)
    {
        if (arguments is [Listen, string place])
        {
            using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(place));
            listener.Listen();
            Console.WriteLine(Listening);
            _ = Console.In.ReadToEnd();
            return;
        }

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
