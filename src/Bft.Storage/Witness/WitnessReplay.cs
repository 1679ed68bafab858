using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Roles;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Storage;

/// <summary>Rebuilds a witness from its records (W9). A record that contradicts those before it is damage, and nothing is signed on top of it.</summary>
internal sealed class WitnessReplay(IDisk disk, Committee committee, WitnessIndex self, ISignatureScheme scheme, WitnessRole role, BatchStore store) : IJournalReplay, IDisposable
{
    private readonly EvidenceVerifier _verifier = new(committee, scheme);
    private readonly WitnessEffects _effects = new();
    private (VerifiedStatement Statement, JournalPosition Position)? _batch;
    private Sequence? _ackBase;
    private (Slot Slot, JournalPosition Statement)? _mended;
    private readonly PageReader _pages = new(disk);
    private readonly List<StoredStream> _streams = []; // of a checkpoint: taken when all of them were read
    private HashSet<long>? _needed;

    public bool HasIdentity { get; private set; }

    /// <summary>S2: all segments with records are there, since the first commit.</summary>
    public bool HasAll { get; private set; } = true;

    /// <summary>S2: segments that held checkpoints before the one that was replayed.</summary>
    public IReadOnlyCollection<long> Superseded { get; private set; } = [];

    /// <summary>S2: a page of an index has one copy only.</summary>
    public bool HasLostCopy => _pages.HasLostCopy;

    public int PagesRead => _pages.PagesRead;

    /// <inheritdoc/>
    public bool IsScannable => true;

    public List<byte[]> Evidence { get; } = [];

    /// <summary>S2: the steady clock as far as it was recorded.</summary>
    public long Clock { get; private set; }

    /// <inheritdoc/>
    public bool IsNeeded(long segment)
    {
        TakeStreams();
        if (_needed is null)
        {
            Compaction compaction = new(store, null!);
            _needed = [.. compaction.Live().Keys.Concat(compaction.PageSegments())];
        }

        return _needed.Contains(segment) || (HasAll && !Superseded.Contains(segment));
    }

    public void OnRecord(ulong mark, byte kind, ReadOnlySpan<byte> head, JournalPosition body)
    {
        if ((WitnessRecordKind)kind is not (WitnessRecordKind.Page or WitnessRecordKind.Stream))
        {
            TakeStreams();
        }

        string? fault = (WitnessRecordKind)kind switch
        {
            _ when (_batch is not null || _mended is not null) != ((WitnessRecordKind)kind == WitnessRecordKind.Body) => "a batch and its body do not stand together.",
            WitnessRecordKind.Identity => OnIdentity(head),
            WitnessRecordKind.Checkpoint => OnCheckpoint(head, body),
            _ when !HasIdentity => "the first record does not say whose journal this is.",
            WitnessRecordKind.Run => OnRun(head, new Mark(mark)),
            WitnessRecordKind.Batch => OnBatch(head, body),
            WitnessRecordKind.Body when _mended is not null => OnMendedBody(body),
            WitnessRecordKind.Body => OnBody(body),
            WitnessRecordKind.MendedSlot => OnMendedSlot(head, body),
            WitnessRecordKind.MendedCertificate => OnMendedCertificate(head, body),
            WitnessRecordKind.Certificate => OnCertificate(head, body),
            WitnessRecordKind.Evidence => OnEvidence(head),
            WitnessRecordKind.Retired => OnRetired(head),
            WitnessRecordKind.Forgotten => OnForgotten(head),
            WitnessRecordKind.Floor => OnFloor(head),
            WitnessRecordKind.Clock => OnClock(head),
            WitnessRecordKind.Moved => null,
            WitnessRecordKind.Page => OnPage(body),
            WitnessRecordKind.Stream => OnStream(head),
            WitnessRecordKind.Placed => OnPlaced(head),
            WitnessRecordKind.Incarnations => OnIncarnations(head),
            WitnessRecordKind.Skip => OnSkip(head),
            WitnessRecordKind.Skipped => OnSkipped(head, body),
            WitnessRecordKind.Jump => OnJump(head, body),
            WitnessRecordKind.PeerRoot => OnPeerRoot(head),
            WitnessRecordKind.LostMemory => OnLostMemory(),
            _ => $"a record has the unknown kind {kind}; a newer version may have written it.",
        };
        role.RestoreMark(new Mark(mark));
        if (fault is not null)
        {
            throw new JournalDamageException(SegmentName.Of(body.Segment), body.Offset, $"in commit {mark} {fault}");
        }
    }

    /// <summary>The journal is open.</summary>
    /// <param name="isCheckpointSafe">Both copies of the checkpoint are in their places; if not, its pages are written anew.</param>
    public void Complete(bool isCheckpointSafe)
    {
        TakeStreams();
        if (!isCheckpointSafe)
        {
            foreach (StreamLog log in store.Streams)
            {
                log.Index.Renew(page => _pages.IsOwn(page.At));
            }
        }

        if ((_batch?.Position ?? _mended?.Statement) is { } at)
        {
            throw new JournalDamageException(SegmentName.Of(at.Segment), at.Offset, "the last batch has no body.");
        }
    }

    private string? OnIdentity(ReadOnlySpan<byte> head)
    {
        if (!WitnessRecords.TryIdentity(head, out ClusterId cluster, out int witness))
        {
            return "the identity record is malformed.";
        }

        return CheckIdentity(cluster, witness);
    }

    private string? CheckIdentity(ClusterId cluster, int witness)
    {
        HasIdentity = true;
        return cluster != committee.Cluster ? throw new ForeignJournalException(
                $"The data directory belongs to cluster {cluster}, but cluster.yaml makes {committee.Cluster}. Name the right directory or file; for a new cluster take an empty directory.")
            : witness != self.Value ? throw new ForeignJournalException(
                $"The data directory belongs to witness {witness}, but the key is that of witness {self}. Each witness has a data directory of its own; never copy one.")
            : null;
    }

    private string? OnRun(ReadOnlySpan<byte> head, Mark mark)
    {
        if (!WitnessRecords.TryRun(head, out RunRecord run))
        {
            return "a run record is malformed.";
        }

        role.RestoreRun(run.Run, run.Last ?? mark, isOver: run.Last is not null);
        return null;
    }

    private string? OnPeerRoot(ReadOnlySpan<byte> head)
    {
        if (!AckBundle.TryParse(committee.Cluster, head, out AckBundle? bundle) || !committee.TryMember(bundle.Root.Witness.Value, out _))
        {
            return "a peer's root is malformed.";
        }

        role.RestorePeerRoot(bundle);
        return null;
    }

    private string? OnLostMemory()
    {
        role.RestoreLostMemory();
        return null;
    }

    private string? OnBatch(ReadOnlySpan<byte> head, JournalPosition position)
    {
        if (!WitnessRecords.TryBatch(committee.Cluster, head, out VerifiedStatement statement, out Sequence? ackBase))
        {
            return "a batch record is malformed.";
        }

        role.RestoreBatch(statement, ackBase);
        _batch = (statement, position);
        _ackBase = ackBase;
        return null;
    }

    private string? OnBody(JournalPosition position)
    {
        (VerifiedStatement statement, JournalPosition at) = _batch!.Value;
        _batch = null;
        store.OnBatch(statement, _ackBase, at, position);
        return statement.Statement.Body.Length == position.Length ? null : "a body has another length than its statement says.";
    }

    /// <summary>The slot is stored by now; a second record for it says where it lies since.</summary>
    private string? OnMendedSlot(ReadOnlySpan<byte> head, JournalPosition statement)
    {
        if (!WitnessRecords.TryMendedSlot(head, out Slot slot, out bool hasBody) || !store.TryFind(slot.Stream, out StreamLog? log) || statement.Length != log.StatementLength)
        {
            return "a slot that was mended is malformed.";
        }

        if (hasBody)
        {
            _mended = (slot, statement);
        }
        else
        {
            log.Mend(slot.Sequence, StoredSlot.At(statement));
        }

        return null;
    }

    private string? OnMendedBody(JournalPosition body)
    {
        (Slot slot, JournalPosition statement) = _mended!.Value;
        _mended = null;
        store[slot.Stream].Mend(slot.Sequence, StoredSlot.At(statement, body));
        return null;
    }

    private string? OnMendedCertificate(ReadOnlySpan<byte> head, JournalPosition position)
    {
        if (!WitnessRecords.TryMendedCertificate(head, out Sequence from, out VerifiedCertificate certificate) || !store.TryFind(certificate.Batch.Stream, out StreamLog? log))
        {
            return "a certificate that was mended is malformed.";
        }

        log.Mend(from, certificate.Batch.Sequence, position);
        return null;
    }

    private string? OnCertificate(ReadOnlySpan<byte> head, JournalPosition position)
    {
        if (Restored.Certificate(head) is not { } certificate)
        {
            return "a certificate record is malformed.";
        }

        if (!store.TryFind(certificate.Batch.Stream, out _))
        {
            return $"a certificate stands before the batch {certificate.Batch} that it covers.";
        }

        store.OnCertificate(certificate, position, Clock);
        bool isStored = role.RestoreCertificate(certificate, _effects);
        foreach (StoredTip tip in _effects.StoredTips)
        {
            store.OnStoredTip(tip);
        }

        _effects.Clear();
        return isStored ? null : $"the bodies that the certificate of {certificate.Batch} covers do not stand before it.";
    }

    public void Dispose() => _pages.Dispose();

    /// <summary>S2: replay begins here.</summary>
    private string? OnCheckpoint(ReadOnlySpan<byte> bytes, JournalPosition at)
    {
        if (CheckpointRecords.VersionOf(bytes) is var version && version != CheckpointRecords.Version)
        {
            string reason = $"its checkpoint has format version {version}, this program reads version {CheckpointRecords.Version}.";
            throw new CheckpointLostException(SegmentName.Of(at.Segment), 0, reason) { IsOtherVersion = true };
        }

        if (HasIdentity || CheckpointRecords.TryBegin(bytes) is not { } head)
        {
            return "a checkpoint is malformed, or stands where none belongs.";
        }

        (Clock, HasAll, Superseded) = (head.Clock, head.HasAll, head.Superseded);
        return CheckIdentity(head.Cluster, head.Witness);
    }

    private string? OnPage(JournalPosition body)
    {
        _pages.OnPage(body);
        return null;
    }

    private string? OnStream(ReadOnlySpan<byte> head)
    {
        try
        {
            if (StreamRecords.TryStream(committee.Cluster, head, _pages) is not { } stream)
            {
                return "a stream of the checkpoint is malformed.";
            }

            _streams.Add(stream);
            return null;
        }
        catch (CheckpointLostException)
        {
            // Everything will be replayed instead: nothing of the checkpoint was taken.
            _streams.Clear();
            (HasIdentity, HasAll, Clock, Superseded) = (false, true, 0, []);
            throw;
        }
    }

    private void TakeStreams()
    {
        foreach (StoredStream stream in _streams)
        {
            store.Restore(stream);
            role.RestoreStream(stream.Header, store[stream.Header.Id].Tip, stream.Tip is { IsSigned: true });
        }

        _streams.Clear();
    }

    private string? OnPlaced(ReadOnlySpan<byte> head)
    {
        if (!CheckpointRecords.TryPlaced(committee.Cluster, head, out VerifiedStatement statement, out Sequence? ackBase, out StoredSlot slot)
            || !store.TryFind(statement.Reference.Stream, out StreamLog? log))
        {
            return "a batch of the checkpoint is malformed.";
        }

#if PLANTED
        ackBase = Crypto.Planted.Is("retention-forgets-acks") ? null : ackBase;
#endif
        log.OnBatch(statement, ackBase, slot);
        role.RestoreBatch(statement, ackBase);
        return null;
    }

    private string? OnIncarnations(ReadOnlySpan<byte> head)
    {
        if (CheckpointRecords.TryIncarnations(head) is not { } record)
        {
            return "a list of incarnations is malformed.";
        }

        role.RestoreIncarnations(record);
        return null;
    }

    private string? OnFloor(ReadOnlySpan<byte> head)
    {
        if (!CheckpointRecords.TryFloor(head, out StreamId stream, out Sequence floor, out Sequence first)
            || !store.TryFind(stream, out StreamLog? log) || first > log.End || first > floor)
        {
            return "a floor is malformed, or above what is stored.";
        }

        log.Replay(floor, first);
        return null;
    }

    private string? OnSkip(ReadOnlySpan<byte> head)
    {
        if (!WitnessRecords.TryOf(committee.Cluster, head, out StreamHeader header, out ReadOnlySpan<byte> rest)
            || !CheckpointRecords.TryNumber(rest, out long floor) || !Sequence.TryCreate((ulong)floor, out Sequence accepted))
        {
            return "an accepted floor is malformed.";
        }

        store.Skip(header, accepted);
        return null;
    }

    private string? OnSkipped(ReadOnlySpan<byte> head, JournalPosition position)
    {
        if (!WitnessRecords.TryBatch(committee.Cluster, head, out VerifiedStatement statement, out _))
        {
            return "a batch without its body is malformed.";
        }

        store.OnSkipped(statement, position);
        role.RestoreBatch(statement, null);
        return null;
    }

    private string? OnJump(ReadOnlySpan<byte> head, JournalPosition position)
    {
        if (!WitnessRecords.TryOf(committee.Cluster, head, out StreamHeader header, out ReadOnlySpan<byte> rest) || Restored.Certificate(rest) is not { } certificate)
        {
            return "a jump is malformed.";
        }

        store.OnJump(new JumpRecord(header, certificate), position, Clock);
        role.RestoreJump(header, certificate, _effects);
        foreach (StoredTip tip in _effects.StoredTips)
        {
            store.OnStoredTip(tip);
        }

        _effects.Clear();
        return null;
    }

    private string? OnClock(ReadOnlySpan<byte> head)
    {
        if (!CheckpointRecords.TryNumber(head, out long clock))
        {
            return "a clock record is malformed.";
        }

        Clock = clock;
        return null;
    }

    private string? OnRetired(ReadOnlySpan<byte> head)
    {
        if (!WitnessRecords.TryHeader(committee.Cluster, head, out StreamHeader header))
        {
            return "the record of a retirement is malformed.";
        }

        role.RestoreRetired(header);
        return null;
    }

    private string? OnForgotten(ReadOnlySpan<byte> head)
    {
        if (!WitnessRecords.TryStream(head, out StreamId stream))
        {
            return "the record of a forgotten stream is malformed.";
        }

        role.RestoreForgotten(stream);
        store.Forget(stream);
        return null;
    }

    private string? OnEvidence(ReadOnlySpan<byte> head)
    {
        if (!_verifier.TryVerify(head, out VerifiedEvidence? evidence, out RejectReason reason))
        {
            return $"evidence does not hold ({reason}).";
        }

        role.RestoreEvidence(evidence);
        Evidence.Add(head.ToArray());
        return null;
    }
}
