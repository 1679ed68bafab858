using Bft.Storage;

namespace Bft.Node;

/// <summary>Writes and flushes commits, one at a time, so that the core gathers the next one meanwhile.</summary>
internal sealed class JournalThread
{
    private readonly CoreMailbox _core;
    private readonly object _monitor = new();
    private readonly Thread _thread;
    private JournalCommit? _commit;
    private bool _isStopping;

    public JournalThread(CoreMailbox core)
    {
        _core = core;
        _thread = new Thread(Run) { Name = "journal", IsBackground = true };
    }

    public void Start() => _thread.Start();

    /// <summary>Takes the next commit; the last one was performed.</summary>
    public void Perform(JournalCommit commit)
    {
        lock (_monitor)
        {
            _commit = commit;
            Monitor.Pulse(_monitor);
        }
    }

    /// <summary>Waits for the commit under way.</summary>
    public void Stop()
    {
        lock (_monitor)
        {
            _isStopping = true;
            Monitor.Pulse(_monitor);
        }

        _thread.Join();
    }

    private void Run()
    {
        while (Take() is { } commit)
        {
            Exception? failure = null;
            try
            {
                commit.Perform();
            }
#pragma warning disable CA1031 // Whatever it is, the core must learn of it and sign nothing more.
            catch (Exception e)
            {
                failure = e;
            }
#pragma warning restore CA1031

            _core.Post(commit, failure);
        }
    }

    private JournalCommit? Take()
    {
        lock (_monitor)
        {
            while (_commit is null && !_isStopping)
            {
                Monitor.Wait(_monitor);
            }

            JournalCommit? commit = _commit;
            _commit = null;
            return commit;
        }
    }
}
