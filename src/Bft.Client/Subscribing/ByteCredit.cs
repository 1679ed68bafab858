namespace Bft.Client;

/// <summary>Counts bytes between a witness and the application; whoever reads more of them waits while there are too many (R6). Thread-safe.</summary>
internal sealed class ByteCredit(long max)
{
    /// <summary>The role may hold bodies that wait for frames not read yet (a link's target, R2): so its part holds reading back only for a while.</summary>
    private const int HeldPatienceMs = 500;

    private readonly Lock _gate = new();
    private TaskCompletionSource _room = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _moving;
    private long _held;

    /// <summary>All bytes counted now.</summary>
    public long Bytes
    {
        get
        {
            lock (_gate)
            {
                return _moving + _held;
            }
        }
    }

    /// <summary>Bytes on their way to the role, or from there to the application.</summary>
    public void Add(long bytes)
    {
        lock (_gate)
        {
            _moving += bytes;
        }
    }

    /// <summary>They arrived.</summary>
    public void Remove(long bytes)
    {
        lock (_gate)
        {
            _moving -= bytes;
            Signal();
        }
    }

    /// <summary>Bytes that the role holds back (R2, R5).</summary>
    public void SetHeld(long bytes)
    {
        lock (_gate)
        {
            _held = bytes;
            Signal();
        }
    }

    /// <summary>Whether another frame may be read.</summary>
    /// <param name="heldForMs">For how long there was no room. Unit: milliseconds.</param>
    public bool HasRoom(long heldForMs)
    {
        lock (_gate)
        {
            return _moving < max && (_moving + _held < max || heldForMs >= HeldPatienceMs);
        }
    }

    /// <summary>Waits until fewer than the most are counted.</summary>
    public ValueTask WaitForRoomAsync(CancellationToken cancellationToken) => HasRoom(0) ? ValueTask.CompletedTask : new ValueTask(WaitAsync(cancellationToken));

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        long since = Environment.TickCount64;
        while (!HasRoom(Environment.TickCount64 - since))
        {
            Task room;
            lock (_gate)
            {
                if (_room.Task.IsCompleted && _moving + _held >= max)
                {
                    _room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                }

                room = _room.Task;
            }

            await Task.WhenAny(room, Task.Delay(HeldPatienceMs, cancellationToken)).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private void Signal()
    {
        if (_moving + _held < max)
        {
            _room.TrySetResult();
        }
    }
}
