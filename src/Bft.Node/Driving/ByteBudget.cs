namespace Bft.Node;

/// <summary>Bytes that may be under way at a time. Who wants more waits, in order of arrival: that is the back-pressure.</summary>
/// <param name="max">Unit: bytes. A single request may exceed it when nothing else is under way.</param>
/// <param name="parent">A budget for several of these; taken after this one, so that a caller who overdoes it queues before his own door.</param>
internal sealed class ByteBudget(long max, ByteBudget? parent = null)
{
    private readonly Lock _lock = new();
    private readonly Queue<(int Bytes, TaskCompletionSource Granted)> _waiting = new(); // bound: one per call
    private long _used;

    /// <returns>To be disposed once, when the bytes are no longer under way.</returns>
    public async ValueTask<IDisposable> TakeAsync(int bytes, CancellationToken cancellationToken)
    {
        await TakeOwnAsync(bytes, cancellationToken);
        try
        {
            return new Share(this, bytes, parent is null ? null : await parent.TakeAsync(bytes, cancellationToken));
        }
        catch (OperationCanceledException)
        {
            ReleaseOwn(bytes);
            throw;
        }
    }

    private bool Fits(int bytes) => _used == 0 || _used + bytes <= max;

    private async ValueTask TakeOwnAsync(int bytes, CancellationToken cancellationToken)
    {
        TaskCompletionSource granted;
        lock (_lock)
        {
            if (_waiting.Count == 0 && Fits(bytes))
            {
                _used += bytes;
                return;
            }

            granted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue((bytes, granted));
        }

        await using (cancellationToken.UnsafeRegister(static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), granted))
        {
            await granted.Task;
        }
    }

    private void ReleaseOwn(int bytes)
    {
        lock (_lock)
        {
            _used -= bytes;
            while (_waiting.TryPeek(out (int Bytes, TaskCompletionSource Granted) next) && (next.Granted.Task.IsCompleted || Fits(next.Bytes)))
            {
                _waiting.Dequeue();
                _used += next.Granted.TrySetResult() ? next.Bytes : 0;
            }
        }
    }

    private sealed class Share(ByteBudget budget, int bytes, IDisposable? above) : IDisposable
    {
        public void Dispose()
        {
            budget.ReleaseOwn(bytes);
            above?.Dispose();
        }
    }
}
