using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Roles;
using Bft.Protocol.Witnessing;

namespace Bft.Storage;

/// <summary>A witness's records in its journal. What is appended is indexed at once, and visible in the store when its tip is durable.</summary>
public sealed class WitnessJournal : IDisposable
{
    /// <summary>Resolution of the times that certificates are stored with. Unit: milliseconds.</summary>
    private const long ClockStep = 1000;

    private readonly BatchStore _store;
    private readonly Committee _committee;
    private readonly WitnessIndex _self;
    private readonly long _segmentBytes;
    private readonly SteadyClock _clock;
    private readonly Retention? _retention;
    private readonly List<byte[]> _evidence; // bound: one per offender, and stream of an offender
    private readonly Queue<(ulong Mark, Cut Cut)> _cuts = new(); // bound: two per stream
    private long _clockRecorded;
    private long _looked;
    private long _storedSinceLook;
    private long _cutBytes;
    private long _checkpointBytes;
    private long _evidenceCount;

    private WitnessJournal(Journal journal, BatchStore store, JournalOptions options, Committee committee, WitnessIndex self, WitnessReplay replay, Func<Topic, RetentionPolicy>? retention)
    {
        Journal = journal;
        _store = store;
        _committee = committee;
        _self = self;
        _segmentBytes = options.SegmentBytes;
        _clock = new SteadyClock(replay.Clock);
        _clockRecorded = replay.Clock;
        _evidence = replay.Evidence;
        _retention = retention is null ? null : new Retention(store, retention);
    }

    /// <summary>The start found, and cut, a tail that was never durable (W9).</summary>
    public bool WasTailCut => Journal.WasTailCut;

    /// <summary>For sealing, performing and completing commits; records are appended here.</summary>
    public Journal Journal { get; }

    /// <summary>Offenders proven in the records replayed and appended.</summary>
    public long EvidenceCount => Volatile.Read(ref _evidenceCount);

    /// <summary>S2: enough was cut that a checkpoint gives back more than it costs, or a copy of the last one is damaged. Call <see cref="Checkpoint"/> when all is durable.</summary>
    public bool IsCheckpointDue => Journal.IsTwinMissing || _cutBytes >= Math.Max(_segmentBytes, 2 * _checkpointBytes);

    /// <summary>Opens or creates the journal of a directory; its records rebuild the role and the store (W9).</summary>
    /// <param name="disk">The directory.</param>
    /// <param name="options">Of the journal.</param>
    /// <param name="committee">Whose witness.</param>
    /// <param name="self">Which.</param>
    /// <param name="scheme">For evidence.</param>
    /// <param name="role">Empty.</param>
    /// <param name="store">Empty.</param>
    /// <param name="retention">S2: what is cut, by topic. Default: nothing.</param>
    /// <exception cref="ForeignJournalException">The journal is another cluster's or another witness's.</exception>
    /// <exception cref="JournalDamageException">Records that were durable are lost, or contradict each other.</exception>
    /// <exception cref="JournalMismatchException">A file of another journal, or of another format version.</exception>
    /// <exception cref="DiskException">The disk refused.</exception>
    public static WitnessJournal Open(
        IDisk disk, JournalOptions options, Committee committee, WitnessIndex self, ISignatureScheme scheme, WitnessRole role, BatchStore store, Func<Topic, RetentionPolicy>? retention = null)
    {
        ArgumentNullException.ThrowIfNull(committee);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(role);
        ArgumentNullException.ThrowIfNull(store);
        WitnessReplay replay = new(committee, self, scheme, role, store);
        WitnessJournal journal = new(Journal.Open(disk, options, replay), store, options, committee, self, replay, retention) { _evidenceCount = replay.Evidence.Count };
        replay.Complete();
        store.Attach(journal.Journal);
        if (!replay.HasIdentity)
        {
            journal.Journal.Append((byte)WitnessRecordKind.Identity, WitnessRecords.Identity(committee.Cluster, self));
        }

        return journal;
    }

    /// <summary>Adds a record to the next commit. The body of a batch stays unchanged until that commit is durable.</summary>
    public void Append(WitnessRecord record)
    {
        switch (record)
        {
            case RunRecord run:
                Journal.Append((byte)WitnessRecordKind.Run, WitnessRecords.Run(run));
                break;
            case BatchRecord batch:
                byte[] head = WitnessRecords.BatchHead(batch.Batch.Statement, batch.AckBase);
                JournalPosition statementAt = Journal.Append((byte)WitnessRecordKind.Batch, head, head.AsMemory(WitnessRecords.BatchHeadFixedLength));
                JournalPosition bodyAt = Journal.Append((byte)WitnessRecordKind.Body, [], batch.Batch.Body);
                _store.OnBatch(batch.Batch.Statement, batch.AckBase, statementAt, bodyAt);
                _storedSinceLook += bodyAt.Length;
                break;
            case CertificateRecord certificate:
                AppendClock();
                ReadOnlyMemory<byte> bytes = certificate.Certificate.Certificate.Bytes;
                _store.OnCertificate(certificate.Certificate, Journal.Append((byte)WitnessRecordKind.Certificate, bytes.Span, bytes), _clockRecorded);
                break;
            case EvidenceRecord evidence:
                byte[] encoded = evidence.Evidence.Evidence.Encode();
                Journal.Append((byte)WitnessRecordKind.Evidence, encoded);
                _evidence.Add(encoded);
                Volatile.Write(ref _evidenceCount, _evidence.Count);
                break;
            case RetiredRecord retired:
                Journal.Append((byte)WitnessRecordKind.Retired, WitnessRecords.Header(retired.Header));
                break;
            case ForgottenRecord forgotten:
                Journal.Append((byte)WitnessRecordKind.Forgotten, WitnessRecords.Stream(forgotten.Stream));
                _store.Forget(forgotten.Stream);
                break;
            case FloorRecord floor:
                Journal.Append((byte)WitnessRecordKind.Skip, WitnessRecords.Of(floor.Header, CheckpointRecords.Number((long)floor.Floor.Value)));
                _store.Skip(floor.Header, floor.Floor);
                break;
            case SkippedRecord skipped:
                byte[] statement = WitnessRecords.BatchHead(skipped.Statement, null);
                _store.OnSkipped(skipped.Statement, Journal.Append((byte)WitnessRecordKind.Skipped, statement, statement.AsMemory(WitnessRecords.BatchHeadFixedLength)));
                break;
            case JumpRecord jump:
                AppendClock();
                ReadOnlyMemory<byte> proof = jump.Certificate.Certificate.Bytes;
                _store.OnJump(jump, Journal.Append((byte)WitnessRecordKind.Jump, WitnessRecords.Of(jump.Header, proof.Span), proof), _clockRecorded);
                break;
            case IncarnationsRecord incarnations:
                Journal.Append((byte)WitnessRecordKind.Incarnations, CheckpointRecords.Incarnations(incarnations));
                break;
            case PeerRootRecord root:
                Journal.Append((byte)WitnessRecordKind.PeerRoot, root.Bundle.Encode());
                break;
            case LostMemoryRecord:
                Journal.Append((byte)WitnessRecordKind.LostMemory, []);
                break;
            default:
                throw new ArgumentException($"{record} is no record that this version writes.", nameof(record));
        }
    }

    /// <summary>Time passed: floors that are durable come into force, and retention decides on new ones, whose records wait for the next commit (S2).</summary>
    /// <param name="now">The clock. Unit: milliseconds since 1970.</param>
    public void OnTick(long now)
    {
        _clock.OnTick(now);
        CutWhatIsDurable();
        if (_retention is null || (_clock.Elapsed - _looked < ClockStep && _storedSinceLook < _segmentBytes / 4))
        {
            return;
        }

        _looked = _clock.Elapsed;
        _storedSinceLook = 0;
        foreach (Cut cut in _retention.Decide(_clock.Elapsed))
        {
            StreamLog log = cut.Log;
            for (Sequence sequence = log.Planned.Floor; sequence < cut.Floor; sequence = sequence.Following)
            {
                log.BodyBytes -= log.Index[sequence].BodyLength;
            }

            log.Planned = (cut.Floor, cut.First);
            _cutBytes += cut.Bytes;
            _cuts.Enqueue((Journal.NextMark, cut));
            Journal.Append((byte)WitnessRecordKind.Floor, CheckpointRecords.Floor(log.Header.Id, cut.Floor, cut.First));
        }
    }

    /// <summary>S2: makes a checkpoint durable, moves what nearly empty segments still hold, and deletes the segments that nothing needs. Synchronous.</summary>
    /// <param name="role">All of whose records are durable, and it knows.</param>
    /// <exception cref="InvalidOperationException">Records wait.</exception>
    /// <exception cref="DiskException">The journal is poisoned; what was durable is.</exception>
    public void Checkpoint(WitnessRole role)
    {
        ArgumentNullException.ThrowIfNull(role);
        if (!Journal.IsQuiet)
        {
            throw new InvalidOperationException("Records wait: make them durable first.");
        }

        CutWhatIsDurable();
        Compaction compaction = new(_store, Journal);
        compaction.Run(_segmentBytes, Math.Max(_segmentBytes, _cutBytes));
        WitnessRecord[] remembered = [.. role.Remembered()];
        Journal.Checkpoint(_ => AppendCheckpoint(remembered));
        _cutBytes = 0;
        SortedDictionary<long, long> live = compaction.Live();
        Journal.DropArchived(Journal.Archive.Where(segment => !live.ContainsKey(segment)));
    }

    public void Dispose() => Journal.Dispose();

    private void AppendCheckpoint(WitnessRecord[] remembered)
    {
        Journal.Append((byte)WitnessRecordKind.Checkpoint, CheckpointRecords.Begin(_committee.Cluster, _self, _clock.Elapsed));
        _clockRecorded = _clock.Elapsed;
        foreach (StreamLog log in _store.Ordered)
        {
            Journal.Append((byte)WitnessRecordKind.Stream, CheckpointRecords.Stream(log));
            foreach (StreamLog.Candidate candidate in log.Candidates())
            {
                Journal.Append((byte)WitnessRecordKind.Placed, CheckpointRecords.Placed(candidate));
            }
        }

        foreach (byte[] proof in _evidence)
        {
            Journal.Append((byte)WitnessRecordKind.Evidence, proof);
        }

        foreach (WitnessRecord record in remembered)
        {
            Append(record);
        }

        _checkpointBytes = Journal.PendingBytes;
    }

    private void AppendClock()
    {
        if (_clock.Elapsed - _clockRecorded >= ClockStep)
        {
            _clockRecorded = _clock.Elapsed;
            Journal.Append((byte)WitnessRecordKind.Clock, CheckpointRecords.Number(_clockRecorded));
        }
    }

    /// <summary>A floor is shown when its record is durable: what was cut does not come back with a restart.</summary>
    private void CutWhatIsDurable()
    {
        while (_cuts.TryPeek(out (ulong Mark, Cut Cut) next) && next.Mark <= Journal.DurableMark)
        {
            _cuts.Dequeue();
            next.Cut.Log.Cut(next.Cut.Floor, next.Cut.First);
        }
    }
}

/// <summary>The journal in a data directory is sound but another cluster's or another witness's. Signing on top of it would be a fault.</summary>
public sealed class ForeignJournalException(string message) : Exception(message);
