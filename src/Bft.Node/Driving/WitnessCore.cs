using System.Diagnostics;
using Bft.Protocol.Model;
using Bft.Protocol.Roles;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;
using Bft.Storage;

namespace Bft.Node;

/// <summary>Owns the witness role: one thread, no locks, no waiting for anything but input (W1: append → flush → sign → send).</summary>
/// <remarks>
/// While commit k is flushed by the journal's thread, the records of commit k + 1 gather here; a small commit with no input behind it is flushed here. Anything that goes wrong with the journal ends
/// this thread for good: nothing is signed after it, and the process exits.
/// </remarks>
internal sealed class WitnessCore
{
    private const int TickMilliseconds = 20;

    /// <summary>Largest commit that the core performs itself when nothing waits. Unit: bytes.</summary>
    private const long OwnCommitBytesMax = 64 * 1024;

    private readonly WitnessRole _role;
    private readonly WitnessJournal _journal;
    private readonly BatchStore _store;
    private readonly Delivery _delivery;
    private readonly CoreMailbox _mailbox;
    private readonly EvidenceBook _evidence;
    private readonly JournalThread _journalThread;
    private readonly WitnessEffects _effects = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _thread;
    private List<CoreInput> _inputs = [];
    private CommitBodies _open = new();
    private CommitBodies _sealed = new();
    private JournalCommit? _outstanding;
    private long _nextTick;
    private ulong _durableMark;

    public WitnessCore(WitnessRole role, WitnessJournal journal, BatchStore store, CoreMailbox mailbox, EvidenceBook evidence, Delivery delivery)
    {
        _mailbox = mailbox;
        _evidence = evidence;
        _role = role;
        _journal = journal;
        _store = store;
        _delivery = delivery;
        _journalThread = new JournalThread(_mailbox);
        _durableMark = journal.Journal.DurableMark;
        _thread = new Thread(Run) { Name = "core", IsBackground = true };
    }

    /// <summary>Ends when the core was stopped; fails when it had to stop.</summary>
    public Task Ended => _ended.Task;

    /// <summary>The last durable commit. Any thread reads it.</summary>
    public Mark DurableMark => new(Volatile.Read(ref _durableMark));

    public long EvidenceCount => _journal.EvidenceCount;

    public void Start(Run run)
    {
        _role.Start(run, _effects);
        Perform();
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
            OnDurable(performed);
        }

        foreach (CoreInput input in _inputs)
        {
            Apply(input);
        }

        _inputs.Clear();
        Tick();
        while (_outstanding is null && (isStopping ? _journal.Journal.SealProof() : _journal.Journal.Seal()) is { } commit)
        {
            Seal(commit);
            if (isStopping && _journal.Journal.PendingBytes == 0)
            {
                _journalThread.Perform(commit);
                return PerformLast(commit);
            }

            // A small commit with nothing behind it gathers nothing: two changes of thread would cost more than its flush.
            if (commit.Bytes <= OwnCommitBytesMax && _mailbox.IsEmpty)
            {
                commit.Perform();
                OnDurable(commit);
            }
            else
            {
                _journalThread.Perform(commit);
            }
        }

        return false;
    }

    private void Apply(CoreInput input)
    {
        int recorded = _open.Count;
        input.Apply(_role, _effects);
        Perform();
        if (input is InquiryInput inquiry)
        {
            AfterDurable(inquiry.Answer(_store));
        }

        if (_open.Count > recorded && input is BatchInput batch && _open.Holds(batch.Batch))
        {
            _open.Keep(input);
        }
        else
        {
            // Held batches are bounded by the role itself; what was ignored is the garbage collector's.
            input.Release();
        }
    }

    /// <summary>W1, last sentence: what reveals records leaves when all that are appended so far are flushed.</summary>
    private void AfterDurable(Action answer)
    {
        if (_journal.Journal.PendingBytes > 0)
        {
            _open.Then(answer);
        }
        else if (_outstanding is not null)
        {
            _sealed.Then(answer);
        }
        else
        {
            answer();
        }
    }

    private void OnDurable(JournalCommit commit)
    {
        _journal.Journal.OnDurable(commit);
        _outstanding = null;
        Volatile.Write(ref _durableMark, commit.Mark);
        _role.OnDurable(new Mark(commit.Mark), _effects);
        _sealed.Release();
        Perform();
    }

    private void Tick()
    {
        long now = Stopwatch.GetTimestamp();
        if (now >= _nextTick)
        {
            _nextTick = now + (Stopwatch.Frequency * TickMilliseconds / 1000);
            _role.OnTick(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), _effects);
            Perform();
        }
    }

    private void Seal(JournalCommit commit)
    {
        _role.OnSealed(new Mark(commit.Mark));
        (_open, _sealed) = (_sealed, _open);
        _outstanding = commit;
    }

    /// <summary>A clean stop: the last records are flushed, and nothing of them is told any more.</summary>
    private bool PerformLast(JournalCommit commit)
    {
        JournalCommit? performed = null;
        while (performed != commit)
        {
            performed = _mailbox.Take(ref _inputs, TickMilliseconds, out _);
        }

        _journal.Journal.OnDurable(commit);
        return true;
    }

    /// <summary>Records first, then what may leave; see <see cref="WitnessEffects"/>.</summary>
    private void Perform()
    {
        foreach (WitnessRecord record in _effects.Records)
        {
            _journal.Append(record);
            if (record is BatchRecord { Batch: { } batch })
            {
                _open.Add(batch);
            }
        }

        foreach (StoredTip tip in _effects.StoredTips)
        {
            _store.OnStoredTip(tip);
        }

        foreach (VerifiedEvidence evidence in _effects.Evidence)
        {
            _evidence.Add(evidence);
        }

        _delivery.Perform(_effects);
        _effects.Clear();
    }
}
