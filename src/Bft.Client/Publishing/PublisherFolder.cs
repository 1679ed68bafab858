using System.Security.Cryptography;
using Bft.Storage;

namespace Bft.Client;

/// <summary>The directory that holds a publisher's journal, taken by this process.</summary>
internal sealed class PublisherFolder : IDisposable
{
    private readonly DirectoryLock _lock;

    private PublisherFolder(DirectoryLock taken, PublisherJournal journal)
    {
        _lock = taken;
        Journal = journal;
    }

    public PublisherJournal Journal { get; }

    /// <summary>Opens the journal, with what it holds; null when another publisher uses it (this run then has an incarnation of its own).</summary>
    /// <param name="folder">Created when it is missing.</param>
    /// <param name="onDamaged">Told where a journal that cannot be read was put: its incarnation is not continued (P7).</param>
    /// <exception cref="DiskException">The disk refused.</exception>
    public static PublisherFolder? TryOpen(string folder, Action<string> onDamaged)
    {
        DirectoryLock? taken = DirectoryLock.TryTake(folder);
        if (taken is null)
        {
            return null;
        }

        try
        {
            string run = Path.Combine(folder, "run");
            JournalId newId = JournalId.FromRandom(RandomNumberGenerator.GetBytes(JournalId.Bytes));
            try
            {
                return new PublisherFolder(taken, PublisherJournal.Open(FileDisk.At(run), newId));
            }
            catch (Exception damage) when (damage is JournalDamageException or JournalMismatchException)
            {
                string aside = Path.Combine(folder, $"damaged-{DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()}");
                Directory.Move(run, aside);
                onDamaged($"{damage.Message} It was moved to {aside}; a new incarnation begins.");
                return new PublisherFolder(taken, PublisherJournal.Open(FileDisk.At(run), newId));
            }
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Journal.Dispose();
        _lock.Dispose();
    }
}
