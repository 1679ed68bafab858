using System.Security.Cryptography;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Storage;

namespace Bft.Client;

/// <summary>A cursor in a folder of the data directory, for tasks: one writes at a time, and none waits on a thread.</summary>
internal sealed class CursorFile : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);
    private readonly DirectoryLock _lock;

    private CursorFile(DirectoryLock taken, CursorStore store)
    {
        _lock = taken;
        Store = store;
    }

    public CursorStore Store { get; }

    /// <exception cref="CursorInUseException">Another subscription uses it.</exception>
    /// <exception cref="DiskException">The disk refused.</exception>
    /// <exception cref="JournalDamageException">What was committed cannot be read.</exception>
    public static CursorFile Open(string folder, string name, Topic topic)
    {
        DirectoryLock taken = DirectoryLock.TryTake(folder) ?? throw new CursorInUseException(name, folder);
        try
        {
            JournalId newId = JournalId.FromRandom(RandomNumberGenerator.GetBytes(JournalId.Bytes));
            return new CursorFile(taken, CursorStore.Open(FileDisk.At(Path.Combine(folder, "run")), newId, topic));
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    /// <inheritdoc cref="CursorStore.Lease"/>
    public Task LeaseAsync(StreamId stream, Sequence sequence, CancellationToken cancellationToken) => WriteAsync(() => Store.Lease(stream, sequence), cancellationToken);

    /// <inheritdoc cref="CursorStore.Commit"/>
    public Task CommitAsync(StreamId stream, CursorPosition position, CancellationToken cancellationToken) => WriteAsync(() => Store.Commit(stream, position), cancellationToken);

    /// <inheritdoc cref="CursorStore.Close"/>
    public Task CloseAsync(IReadOnlyDictionary<StreamId, Sequence> delivered) => WriteAsync(() => Store.Close(delivered), CancellationToken.None);

    public void Dispose()
    {
        Store.Dispose();
        _lock.Dispose();
        _turn.Dispose();
    }

    private async Task WriteAsync(Action write, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // A flush cannot be taken back, so it is not cancelled either.
            await Task.Run(write, CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }
}
