using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Roles;
using Bft.Protocol.Verification;
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
    private readonly Queue<(ulong Mark, Action Apply)> _mended = new(); // bound: what is appended and not durable
    private long _clockRecorded;
    private long _looked;
    private long _storedSinceLook;
    private long _cutBytes;
    private readonly SortedSet<long> _superseded; // segments of earlier checkpoints, some of which hold pages that are named still; bound: the archive
    private bool _isCopyLost;
    private bool _hasAll;
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
        _superseded = [.. replay.Superseded];
        _isCopyLost = replay.HasLostCopy;
        PagesRead = replay.PagesRead;
        _hasAll = replay.HasAll;
    }

    /// <summary>The start found, and cut, a tail that was never durable (W9).</summary>
    public bool WasTailCut => Journal.WasTailCut;

    /// <summary>S2: pages of indexes that the start read instead of records.</summary>
    public int PagesRead { get; }

    /// <summary>For sealing, performing and completing commits; records are appended here.</summary>
    public Journal Journal { get; }

    /// <summary>Offenders proven in the records replayed and appended.</summary>
    public long EvidenceCount => Volatile.Read(ref _evidenceCount);

    /// <summary>S2: a start would replay nearly a segment (a little less: or the next one would be begun for a commit or two); or enough was cut that a checkpoint gives back more than it costs; or a copy of the last one is damaged. Seal one when all is durable.</summary>
    public bool IsCheckpointDue => Journal.IsTwinMissing || _isCopyLost
        || Journal.BytesSinceCheckpoint >= Math.Max(_segmentBytes - (_segmentBytes / 16), 8 * Journal.CheckpointBytes)
        || IsCompactionDue;

    private bool IsCompactionDue => _cutBytes >= Math.Max(_segmentBytes, 2 * Journal.CheckpointBytes);

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
        using WitnessReplay replay = new(disk, committee, self, scheme, role, store);
        WitnessJournal journal = new(Journal.Open(disk, options, replay), store, options, committee, self, replay, retention) { _evidenceCount = replay.Evidence.Count };
        replay.Complete(isCheckpointSafe: !journal.Journal.IsTwinMissing);
        store.Attach(journal.Journal);
        journal._retention?.Start();
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
            default:
                (WitnessRecordKind kind, byte[] of) = HeadOf(record);
                Journal.Append((byte)kind, of);
                break;
        }
    }

    /// <summary>A stored slot whose record is damaged: what a peer sent in its place lies here from now on, once it is durable. The body stays unchanged until then.</summary>
    /// <param name="statement">Of the batch that is certified in the slot.</param>
    /// <param name="body">Its own; not kept below the floor.</param>
    public void AppendMended(VerifiedStatement statement, ReadOnlyMemory<byte> body)
    {
        ArgumentNullException.ThrowIfNull(statement);
        Slot slot = statement.Reference.Slot;
        StreamLog log = _store[slot.Stream];
        bool hasBody = slot.Sequence >= log.Planned.Floor;
        byte[] original = WitnessRecords.BatchHead(statement, null);
        JournalPosition at = Journal.Append((byte)WitnessRecordKind.MendedSlot, WitnessRecords.MendedSlot(slot, hasBody), original.AsMemory(WitnessRecords.BatchHeadFixedLength));
        StoredSlot stored = hasBody ? StoredSlot.At(at, Journal.Append((byte)WitnessRecordKind.Body, [], body)) : StoredSlot.At(at);
        OnMended(new DamagedPart(slot.Stream, slot.Sequence), () => log.Mend(slot.Sequence, stored));
    }

    /// <summary>The same of a certificate, whose own slot is stored.</summary>
    /// <param name="certificate">Covers all from the first slot on.</param>
    /// <param name="from">A slot right above one that another certificate names, or the first that is kept.</param>
    public void AppendMended(VerifiedCertificate certificate, Sequence from)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        StreamLog log = _store[certificate.Batch.Stream];
        ReadOnlyMemory<byte> bytes = certificate.Certificate.Bytes;
        JournalPosition at = Journal.Append((byte)WitnessRecordKind.MendedCertificate, WitnessRecords.MendedCertificate(from, certificate.Certificate), bytes);
        OnMended(new DamagedPart(log.Header.Id, log.RangeFrom(from)!.Value.To, IsCertificate: true), () => log.Mend(from, certificate.Batch.Sequence, at));
    }

    /// <summary>A segment reads back wrong while all that it says is known here. If a start would read it, a checkpoint is due, after which none does.</summary>
    /// <returns>Whether a start would.</returns>
    public bool OnDamaged(long segment)
    {
        bool isNeeded = Journal.Segments.Any(each => each.Segment == segment);
        foreach (StreamLog log in _store.Streams)
        {
            bool IsThere(IndexPage page) => page.IsWritten && (page.At.Segment == segment || page.At.Segment + 1 == segment);
            isNeeded |= log.Index.Pages.Any(IsThere);
            log.Index.Renew(IsThere);
        }

        _isCopyLost |= isNeeded;
        return isNeeded;
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

    /// <summary>S2: makes the commit of a checkpoint, to be performed like any other. When enough was cut it first moves what nearly empty segments still hold: synchronous, it is rare.</summary>
    /// <param name="role">All of whose records are durable, and it knows.</param>
    /// <exception cref="InvalidOperationException">Records wait, or a commit is not durable yet.</exception>
    /// <exception cref="DiskException">The journal is poisoned; what was durable is.</exception>
    public JournalCommit SealCheckpoint(WitnessRole role)
    {
        ArgumentNullException.ThrowIfNull(role);
        if (!Journal.IsQuiet)
        {
            throw new InvalidOperationException("Records wait: make them durable first.");
        }

        CutWhatIsDurable();
        Compaction compaction = new(_store, Journal);
        if (IsCompactionDue)
        {
            compaction.Run(_segmentBytes, _cutBytes);
            _cutBytes = 0;
            _hasAll = false;
        }

        compaction.MergePages();
        _superseded.UnionWith(Journal.CheckpointSegments);
        Snapshot snapshot = TakeSnapshot(role);
        JournalCommit commit = Journal.SealCheckpoint(snapshot.AppendTo);
        snapshot.Place();
        _isCopyLost = false;
        return commit;
    }

    /// <summary>The commit was performed. After a checkpoint, segments that nothing needs are given up (S2).</summary>
    /// <exception cref="JournalPoisonedException">It failed.</exception>
    public void OnDurable(JournalCommit commit)
    {
        ArgumentNullException.ThrowIfNull(commit);
        Journal.OnDurable(commit);
        while (_mended.TryPeek(out (ulong Mark, Action Apply) next) && next.Mark <= commit.Mark)
        {
            _mended.Dequeue();
            next.Apply();
        }

        if (commit.IsCheckpoint)
        {
            Compaction compaction = new(_store, Journal);
            HashSet<long> needed = compaction.PageSegments();
            if (!_hasAll)
            {
                needed.UnionWith(compaction.Live().Keys);
            }

            long[] dropped = [.. (_hasAll ? _superseded : Journal.Archive).Where(segment => !needed.Contains(segment))];
            Journal.DropArchived(dropped);
            _superseded.ExceptWith(dropped);
        }
    }

    public void Dispose() => Journal.Dispose();

    private void OnMended(DamagedPart part, Action apply)
    {
        _store.Damages.Remove(part);
        _mended.Enqueue((Journal.NextMark, Apply));

        void Apply()
        {
            apply();
            _store.Damages.OnMended(part);
        }
    }

    private Snapshot TakeSnapshot(WitnessRole role)
    {
        _clockRecorded = _clock.Elapsed;
        Snapshot snapshot = new(CheckpointRecords.Begin(new CheckpointHead(_committee.Cluster, _self.Value, _clockRecorded, _hasAll, _superseded)));
        foreach (StreamLog log in _store.Streams)
        {
            snapshot.Add(WitnessRecordKind.Stream, StreamRecords.Stream(log, snapshot, _store.PageRows));
        }

        foreach (StreamLog.Candidate candidate in _store.Streams.SelectMany(log => log.Candidates()))
        {
            snapshot.Add(WitnessRecordKind.Placed, CheckpointRecords.Placed(candidate));
        }

        foreach (byte[] proof in _evidence)
        {
            snapshot.Add(WitnessRecordKind.Evidence, proof);
        }

        foreach (WitnessRecord record in role.Remembered())
        {
            (WitnessRecordKind kind, byte[] head) = HeadOf(record);
            snapshot.Add(kind, head);
        }

        return snapshot;
    }

    /// <summary>Records of the role alone, that are in checkpoints too.</summary>
    private static (WitnessRecordKind Kind, byte[] Head) HeadOf(WitnessRecord record) => record switch
    {
        RunRecord run => (WitnessRecordKind.Run, WitnessRecords.Run(run)),
        RetiredRecord retired => (WitnessRecordKind.Retired, WitnessRecords.Header(retired.Header)),
        IncarnationsRecord incarnations => (WitnessRecordKind.Incarnations, CheckpointRecords.Incarnations(incarnations)),
        PeerRootRecord root => (WitnessRecordKind.PeerRoot, root.Bundle.Encode()),
        LostMemoryRecord => (WitnessRecordKind.LostMemory, []),
        _ => throw new ArgumentException($"{record} is no record that this version writes.", nameof(record)),
    };

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
