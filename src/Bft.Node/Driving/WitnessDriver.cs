using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Roles;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;
using Bft.Storage;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>A witness without threads: role, journal and store, one input after the other (W1: append → flush → sign → send).</summary>
/// <remarks>
/// Life: <see cref="Start"/>; then <see cref="Apply"/> and <see cref="Tick"/> in any order; <see cref="Seal"/> whenever it suits, each commit performed and handed to
/// <see cref="OnDurable"/> before the next is sealed. The host decides when and on which thread; after an exception of the journal nothing here may be called again.
/// </remarks>
internal sealed class WitnessDriver
{
    private readonly WitnessRole _role;
    private readonly WitnessJournal _journal;
    private readonly BatchStore _store;
    private readonly IWitnessOutputs _outputs;
    private readonly WitnessEffects _effects = new();
    private readonly Repairs _repairs;
    private CommitBodies _open = new();
    private CommitBodies _sealed = new();
    private JournalCommit? _outstanding;
    private JournalCommit? _checkpoint; // sealed, and not yet taken by the host
    private ulong _durableMark;
    private volatile WitnessState _state = WitnessState.Recovering;

    /// <param name="role">Replayed, with the journal and the store, by <see cref="WitnessJournal.Open"/>.</param>
    /// <param name="journal">Open.</param>
    /// <param name="store">What it indexes.</param>
    /// <param name="outputs">Where everything leaves.</param>
    /// <param name="self">Which witness.</param>
    /// <param name="witnesses">How many there are.</param>
    public WitnessDriver(WitnessRole role, WitnessJournal journal, BatchStore store, IWitnessOutputs outputs, WitnessIndex self, int witnesses)
    {
        _repairs = new Repairs(journal, store, outputs, self, witnesses);
        _role = role;
        _journal = journal;
        _store = store;
        _outputs = outputs;
        _durableMark = journal.Journal.DurableMark;
    }

    /// <summary>The last durable commit. Any thread reads it.</summary>
    public Mark DurableMark => new(Volatile.Read(ref _durableMark));

    /// <summary>R5: who waits for what it handed over.</summary>
    public HandOverBook HandOvers { get; } = new();

    /// <summary>Sees the commits that are performed here before a checkpoint (S2), before anything follows from them: for those who check.</summary>
    public Action<JournalCommit>? Performed { get; init; }

    /// <summary>S2: a checkpoint at the next tick that finds no commit under way, whether much was cut or not: for those who check.</summary>
    public bool IsCheckpointWanted { get; set; }

    /// <summary>Sees what each input made the role decide, before any of it is performed: for those who check.</summary>
    public Action<WitnessEffects>? Decided { get; init; }

    /// <summary>Sees the certificates of repairs, which the role does not decide, when their records are appended: for those who check.</summary>
    public Action<VerifiedCertificate>? Mended
    {
        init => _repairs.Mended = value;
    }

    /// <summary>Evidence kept, offenders counted once. Any thread reads it.</summary>
    public long EvidenceCount => _journal.EvidenceCount;

    /// <summary>Whether it acks. Any thread reads it.</summary>
    public WitnessState State => _state;

    /// <summary>A run begins.</summary>
    public void Start(Run run)
    {
        _role.Start(run, _effects);
        Perform();
    }

    public void Apply(CoreInput input)
    {
        int recorded = _open.Count;
        if (input is RepairInput repair && repair.Apply(_repairs) is { } mended)
        {
            _open.Add(mended);
            _open.Keep(input);
            return;
        }

        input.Apply(_role, _effects);
        Perform();
        if (input.Answer(_store) is { } answer)
        {
            AfterDurable(answer);
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

    /// <summary>Time passed.</summary>
    /// <param name="nowMs">The clock. Unit: milliseconds since 1970.</param>
    public void Tick(long nowMs)
    {
        _role.OnTick(nowMs, _effects);
        Perform();
        _journal.OnTick(nowMs);
        _repairs.OnTick();
        CheckpointIfDue();
    }

    /// <summary>Makes a commit of all records that wait; null when none does, or when the last commit is not durable yet.</summary>
    /// <param name="isProof">A commit even of nothing: it proves that the last records were durable.</param>
    public JournalCommit? Seal(bool isProof = false)
    {
        if (_checkpoint is { } checkpoint)
        {
            _checkpoint = null;
            return checkpoint;
        }

        if (_outstanding is not null || (isProof ? _journal.Journal.SealProof() : _journal.Journal.Seal()) is not { } commit)
        {
            return null;
        }

        _role.OnSealed(new Mark(commit.Mark));
        return Take(commit);
    }

    /// <summary>The commit sealed last was performed: acks leave, tips rise.</summary>
    public void OnDurable(JournalCommit commit)
    {
        OnLastDurable(commit);
        if (!commit.IsCheckpoint)
        {
            _role.OnDurable(new Mark(commit.Mark), _effects);
        }

        _sealed.Release();
        Perform();
    }

    /// <summary>The same at a clean stop: nothing of these records is told any more.</summary>
    public void OnLastDurable(JournalCommit commit)
    {
        _journal.OnDurable(commit);
        _outstanding = null;
        Volatile.Write(ref _durableMark, commit.Mark);
    }

    /// <summary>S2: between two commits, with all that waits made durable first, here. The checkpoint itself is a commit like any other, so the core waits for one flush, and not for what it writes.</summary>
    private void CheckpointIfDue()
    {
        if (!(_journal.IsCheckpointDue || IsCheckpointWanted) || _outstanding is not null)
        {
            return;
        }

        IsCheckpointWanted = false;

        while (Seal() is { } commit)
        {
            commit.Perform();
            Performed?.Invoke(commit);
            OnDurable(commit);
        }

        // W9: the role learns nothing of it. A root is signed only under a mark that a replay finds, whatever becomes of either copy.
        _checkpoint = Take(_journal.SealCheckpoint(_role));
        _outputs.Log($"checkpoint at mark {_checkpoint.Mark}: {_checkpoint.Bytes} bytes");
    }

    private JournalCommit Take(JournalCommit commit)
    {
        (_open, _sealed) = (_sealed, _open);
        return _outstanding = commit;
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

    /// <summary>Records first, then what may leave; see <see cref="WitnessEffects"/>.</summary>
    private void Perform()
    {
        Decided?.Invoke(_effects);
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

        Show(_role.HasLostMemory ? WitnessState.NotAcking : _role.IsAsking ? WitnessState.Recovering : WitnessState.Serving);
        Delivery.Perform(_effects, _outputs, HandOvers, _store);
        TipFork[] forks = [.. _effects.TipForks];
        _effects.Clear();
        foreach (TipFork fork in forks)
        {
            // C2: a tip that cannot be read is repaired, and the certificate comes again.
            if (_store.TryFind(fork.Tip.Stream, out StreamLog? log) && log.TryReadTip(out VerifiedCertificate? tip) && tip.Batch == fork.Tip)
            {
                _role.OnTipFork(tip, fork, _effects);
                Perform();
            }
        }
    }

    private void Show(WitnessState state)
    {
        if (_state == WitnessState.Recovering && state == WitnessState.Serving)
        {
            _outputs.Log("acks: its peers hold nothing of it that it does not remember (W9)");
        }

        _state = state;
    }
}
