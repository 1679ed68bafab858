using System.Diagnostics;
using Bft.Protocol.Model;
using Bft.Storage;

namespace Bft.Node;

/// <summary>Drives the witness: one thread, no locks, no waiting for anything but input.</summary>
/// <remarks>
/// While commit k is flushed by the journal's thread, the records of commit k + 1 gather here; a small commit with no input behind it is flushed here. Anything that goes wrong with the journal ends
/// this thread for good: nothing is signed after it, and the process exits.
/// </remarks>
internal sealed class WitnessCore
{
    private const int TickMilliseconds = 20;

    /// <summary>Largest commit that the core performs itself when nothing waits. Unit: bytes.</summary>
    private const long OwnCommitBytesMax = 64 * 1024;

    private readonly WitnessDriver _driver;
    private readonly CoreMailbox _mailbox;
    private readonly JournalThread _journalThread;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _thread;
    private List<CoreInput> _inputs = [];
    private long _nextTick;

    public WitnessCore(WitnessDriver driver, CoreMailbox mailbox)
    {
        _driver = driver;
        _mailbox = mailbox;
        _journalThread = new JournalThread(_mailbox);
        _thread = new Thread(Run) { Name = "core", IsBackground = true };
    }

    /// <summary>Ends when the core was stopped; fails when it had to stop.</summary>
    public Task Ended => _ended.Task;

    public void Start(Run run)
    {
        _driver.Start(run);
        _journalThread.Start();
        _thread.Start();
    }

    /// <summary>Makes what was taken durable, proves it (so that later damage shows) and ends.</summary>
    public Task StopAsync()
    {
        _mailbox.Stop();
        return Ended;
    }

    private void Run()
    {
        try
        {
            while (!Turn())
            {
            }

            _journalThread.Stop();
            _ended.SetResult();
        }
#pragma warning disable CA1031 // Whatever it is: no more signatures from this process.
        catch (Exception e)
        {
            _ended.SetException(e);
        }
#pragma warning restore CA1031
    }

    /// <returns>True when the core has stopped.</returns>
    private bool Turn()
    {
        long now = Stopwatch.GetTimestamp();

        // Rounded up: the last fraction of a millisecond before a tick would otherwise be spun away.
        int wait = (int)Math.Clamp(Math.Ceiling(Stopwatch.GetElapsedTime(now, _nextTick).TotalMilliseconds), 0, TickMilliseconds);
        JournalCommit? performed = _mailbox.Take(ref _inputs, wait, out bool isStopping);
        if (performed is not null)
        {
            _driver.OnDurable(performed);
        }

        foreach (CoreInput input in _inputs)
        {
            _driver.Apply(input);
        }

        _inputs.Clear();
        Tick();
        while (_driver.Seal(isStopping) is { } commit)
        {
            if (isStopping)
            {
                _journalThread.Perform(commit);
                return PerformLast(commit);
            }

            // A small commit with nothing behind it gathers nothing: two changes of thread would cost more than its flush.
            if (commit.Bytes <= OwnCommitBytesMax && _mailbox.IsEmpty)
            {
                commit.Perform();
                _driver.OnDurable(commit);
            }
            else
            {
                _journalThread.Perform(commit);
            }
        }

        return false;
    }

    private void Tick()
    {
        long now = Stopwatch.GetTimestamp();
        if (now >= _nextTick)
        {
            _nextTick = now + (Stopwatch.Frequency * TickMilliseconds / 1000);
            _driver.Tick(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        }
    }

    /// <summary>A clean stop: the last records are flushed, and nothing of them is told any more.</summary>
    private bool PerformLast(JournalCommit commit)
    {
        JournalCommit? performed = null;
        while (performed != commit)
        {
            performed = _mailbox.Take(ref _inputs, TickMilliseconds, out _);
        }

        _driver.OnLastDurable(commit);
        return true;
    }
}
