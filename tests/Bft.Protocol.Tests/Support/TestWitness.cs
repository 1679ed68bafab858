using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Roles;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Protocol.Tests.Support;

/// <summary>A witness with a journal that is sealed, flushed and lost by hand. What it may show lands in <see cref="Out"/>.</summary>
public sealed class TestWitness
{
    private readonly TestCluster _cluster;
    private readonly NodeLimits _limits;
    private readonly WitnessEffects _effects = new();
    private readonly List<WitnessRecord> _journal = [];
    private readonly List<Mark> _marks = [];
    private readonly Queue<(Mark Mark, int Length)> _sealed = new();
    private readonly bool _answered;
    private WitnessRole _role = null!;
    private ulong _run;
    private long _now;
    private ulong _mark;
    private int _sealedLength;

    /// <param name="cluster">Whose witness.</param>
    /// <param name="index">Which.</param>
    /// <param name="limits">Its own.</param>
    /// <param name="started">Its first run's record is durable.</param>
    /// <param name="answered">At each start all peers answer at once that they hold nothing of it (W9).</param>
    public TestWitness(TestCluster cluster, int index = 0, NodeLimits? limits = null, bool started = true, bool answered = true)
    {
        _answered = answered;
        _cluster = cluster;
        _limits = limits ?? NodeLimits.Default;
        Index = index;
        Restart(0);
        if (started)
        {
            Flush();
        }
    }

    public int Index { get; }

    public WitnessRole Role => _role;

    /// <summary>All records, durable or not.</summary>
    public IReadOnlyList<WitnessRecord> Journal => _journal;

    public int DurableLength { get; private set; }

    /// <summary>All effects but records since the last <see cref="Forget"/>.</summary>
    public WitnessEffects Out { get; private set; } = new();

    public IEnumerable<BatchRecord> BatchRecords => _journal.OfType<BatchRecord>();

    public IEnumerable<AckLeaf> AckLeaves => Out.PeerAcks.SelectMany(bundle => bundle.Leaves);

    public Sequence? Tip => Out.StoredTips.Count == 0 ? null : Out.StoredTips[^1].Certificate.Batch.Sequence;

    public void Forget() => Out = new WitnessEffects();

    public void OnBatch(params VerifiedBatch[] batches) => Do((role, effects) => batches.ToList().ForEach(batch => role.OnBatch(batch, effects)));

    public void OnAcks(params VerifiedAck[] acks) => Do((role, effects) => role.OnAcks(acks, effects));

    public void OnCertificate(VerifiedCertificate certificate, params VerifiedBatch[] statements) =>
        Do((role, effects) => role.OnCertificate(certificate, [.. statements.Select(batch => batch.Statement)], effects));

    public void OnPeer(int peer) => Do((role, effects) => role.OnPeerConnected(new WitnessIndex(peer), effects));

    public void OnTicks(int count) => Do((role, effects) =>
    {
        for (int i = 0; i < count; i++)
        {
            role.OnTick(_now, effects);
        }
    });

    /// <summary>So much time passes, in steps that a correct clock makes.</summary>
    public void Pass(TimeSpan time) => Do((role, effects) =>
    {
        for (long end = _now + (long)time.TotalMilliseconds; _now < end;)
        {
            _now = Math.Min(_now + 5000, end);
            role.OnTick(_now, effects);
        }
    });

    public void Do(Action<WitnessRole, WitnessEffects> input)
    {
        input(_role, _effects);
        Absorb();
    }

    public void Seal()
    {
        _role.OnSealed(new Mark(++_mark));
        StampRecords();
        _sealedLength = _journal.Count;
        _sealed.Enqueue((new Mark(_mark), _sealedLength));
    }

    /// <summary>The oldest sealed commit is durable.</summary>
    public bool Durable()
    {
        if (!_sealed.TryDequeue(out (Mark Mark, int Length) commit))
        {
            return false;
        }

        DurableLength = commit.Length;
        Do((role, effects) => role.OnDurable(commit.Mark, effects));
        return true;
    }

    /// <summary>Everything is durable, and what that brought forth too.</summary>
    public void Flush()
    {
        while (_sealed.Count > 0 || _sealedLength < _journal.Count)
        {
            if (_sealed.Count == 0)
            {
                Seal();
            }

            Durable();
        }
    }

    /// <summary>Power cut: what was not durable is lost, but for some records that reached the disk unnoticed.</summary>
    public void Restart(int unnoticed = 0)
    {
        DurableLength = Math.Min(_journal.Count, DurableLength + unnoticed);
        _journal.RemoveRange(DurableLength, _journal.Count - DurableLength);
        _marks.RemoveRange(Math.Min(_marks.Count, DurableLength), Math.Max(0, _marks.Count - DurableLength));
        _sealed.Clear();
        _sealedLength = DurableLength;
        _role = new WitnessRole(_cluster.Committee, new WitnessIndex(Index), _cluster.SignerOf(new WitnessIndex(Index)), _limits);
        _mark++;
        StampRecords();
        foreach ((WitnessRecord record, Mark mark) in _journal.Zip(_marks))
        {
            Restore(record, mark);
        }

        Assert.Empty(_effects.Records);
        Do((role, effects) => role.Start(new Run(++_run), effects));
        if (_answered)
        {
            Answer([.. _cluster.Committee.Members.Select(peer => peer.Value).Where(peer => peer != Index)]);
        }
    }

    /// <summary>These peers answer this start's question: they hold nothing.</summary>
    public void Answer(params int[] peers) => Do((role, effects) =>
    {
        foreach (int peer in peers)
        {
            role.OnRecall(new WitnessIndex(peer), [], null, new Run(_run), effects);
        }
    });

    private void StampRecords()
    {
        while (_marks.Count < _journal.Count)
        {
            _marks.Add(new Mark(_mark));
        }
    }

    private void Restore(WitnessRecord record, Mark mark)
    {
        switch (record)
        {
            case RunRecord run:
                _role.RestoreRun(run.Run, mark);
                break;
            case PeerRootRecord root:
                _role.RestorePeerRoot(root.Bundle);
                break;
            case LostMemoryRecord:
                _role.RestoreLostMemory();
                break;
            case BatchRecord batch:
                _role.RestoreBatch(batch.Batch.Statement, batch.AckBase);
                break;
            case CertificateRecord certificate:
                Assert.True(_role.RestoreCertificate(certificate.Certificate, _effects));
                break;
            case RetiredRecord retired:
                _role.RestoreRetired(retired.Header);
                break;
            case ForgottenRecord forgotten:
                _role.RestoreForgotten(forgotten.Stream);
                break;
            case SkippedRecord skipped:
                _role.RestoreBatch(skipped.Statement, null);
                break;
            case JumpRecord jump:
                _role.RestoreJump(jump.Header, jump.Certificate, _effects);
                break;
            case EvidenceRecord evidence:
                _role.RestoreEvidence(evidence.Evidence);
                break;
            default:
                break;
        }

        _role.RestoreMark(mark);
    }

    private void Absorb()
    {
        _journal.AddRange(_effects.Records);
        Out.Recalls.AddRange(_effects.Recalls);
        Out.HasLostMemory |= _effects.HasLostMemory;
        Out.PeerAcks.AddRange(_effects.PeerAcks);
        Out.PeerResends.AddRange(_effects.PeerResends);
        Out.PeerHeartbeat = _effects.PeerHeartbeat ?? Out.PeerHeartbeat;
        Out.PeerEvidence.AddRange(_effects.PeerEvidence);
        Out.PublisherAcks.AddRange(_effects.PublisherAcks);
        Out.Refusals.AddRange(_effects.Refusals);
        Out.StoredTips.AddRange(_effects.StoredTips);
        Out.Offers.AddRange(_effects.Offers);
        Out.Fetches.AddRange(_effects.Fetches);
        Out.Abandoned.AddRange(_effects.Abandoned);
        Out.PeerTips.AddRange(_effects.PeerTips);
        Out.Evidence.AddRange(_effects.Evidence);
        Out.Ignored.AddRange(_effects.Ignored);
        TipFork[] forks = [.. _effects.TipForks];
        _effects.Clear();
        foreach (TipFork fork in forks)
        {
            VerifiedCertificate tip = _journal.Select(record => (record as CertificateRecord)?.Certificate ?? (record as JumpRecord)?.Certificate).First(certificate => certificate?.Batch == fork.Tip)!;
            Do((role, effects) => role.OnTipFork(tip, fork, effects));
        }
    }
}
