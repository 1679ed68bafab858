namespace Bft.Client;

/// <summary>Counts bytes that are on their way to the application; whoever reads more of them waits while there are too many (R6). Thread-safe.</summary>
internal sealed class ByteCredit(long max)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _room = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _bytes;

    /// <summary>Bytes counted now.</summary>
    public long Bytes
    {
        get
        {
            lock (_gate)
            {
                return _bytes;
            }
        }
    }

    public void Add(long bytes)
    {
        lock (_gate)
        {
            _bytes += bytes;
        }
    }

    public void Remove(long bytes)
    {
        lock (_gate)
        {
            _bytes -= bytes;
            if (_bytes < max)
            {
                _room.TrySetResult();
            }
        }
    }

    /// <summary>Waits until fewer than the most are counted.</summary>
    public Task WaitForRoomAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_bytes < max)
            {
                return Task.CompletedTask;
            }

            if (_room.Task.IsCompleted)
            {
                _room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            return _room.Task.WaitAsync(cancellationToken);
        }
    }
}
