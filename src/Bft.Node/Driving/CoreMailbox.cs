using Bft.Storage;

namespace Bft.Node;

/// <summary>What waits for the core's thread: inputs (bounded by what those who post them may have under way), a performed commit, the wish to stop.</summary>
internal sealed class CoreMailbox
{
    private readonly object _monitor = new();
    private List<CoreInput> _inputs = [];
    private JournalCommit? _performed;
    private Exception? _failure;
    private bool _isStopping;

    public bool IsEmpty
    {
        get
        {
            lock (_monitor)
            {
                return _inputs.Count == 0 && !_isStopping;
            }
        }
    }

    public void Post(CoreInput input)
    {
        lock (_monitor)
        {
            _inputs.Add(input);
            Monitor.Pulse(_monitor);
        }
    }

    /// <summary>Posts an input once its bytes fit the budget; the core gives them back.</summary>
    public async ValueTask PostAsync(CoreInput input, ByteBudget budget, CancellationToken cancellationToken)
    {
        input.Grant = await budget.TakeAsync(input.Bytes, cancellationToken);
        Post(input);
    }

    /// <summary>The journal's thread performed a commit, or failed to.</summary>
    public void Post(JournalCommit commit, Exception? failure)
    {
        lock (_monitor)
        {
            _performed = commit;
            _failure ??= failure;
            Monitor.Pulse(_monitor);
        }
    }

    public void Stop()
    {
        lock (_monitor)
        {
            _isStopping = true;
            Monitor.Pulse(_monitor);
        }
    }

    /// <summary>Waits until there is something, or until the time is over.</summary>
    /// <param name="inputs">An empty list, swapped for the one that waits.</param>
    /// <param name="milliseconds">At most so long.</param>
    /// <param name="isStopping">The core is to stop.</param>
    /// <returns>A commit that is durable.</returns>
    /// <exception cref="DiskException">The commit failed; any exception of the journal's thread.</exception>
    public JournalCommit? Take(ref List<CoreInput> inputs, int milliseconds, out bool isStopping)
    {
        lock (_monitor)
        {
            if (_inputs.Count == 0 && _performed is null && !_isStopping && milliseconds > 0)
            {
                Monitor.Wait(_monitor, milliseconds);
            }

            if (_failure is { } failure)
            {
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
            }

            (inputs, _inputs) = (_inputs, inputs);
            JournalCommit? performed = _performed;
            _performed = null;
            isStopping = _isStopping;
            return performed;
        }
    }
}
