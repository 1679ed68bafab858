namespace Bft.Node;

/// <summary>Wakes whoever waits for a change. Take <see cref="Next"/> before looking at the state, and wait for it after: then no change is missed.</summary>
internal sealed class Signal
{
    private TaskCompletionSource? _waiters;

    public Task Next
    {
        get
        {
            while (true)
            {
                if (Volatile.Read(ref _waiters) is { } waiters)
                {
                    return waiters.Task;
                }

                TaskCompletionSource made = new(TaskCreationOptions.RunContinuationsAsynchronously);
                if (Interlocked.CompareExchange(ref _waiters, made, null) is null)
                {
                    return made.Task;
                }
            }
        }
    }

    public void Raise() => Interlocked.Exchange(ref _waiters, null)?.TrySetResult();
}
