using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Roles;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Sim.SmallScope;

/// <summary>Something that a witness sent: an ack or a tip, to one peer (by distance) or to all (−1); or a fetch.</summary>
internal readonly record struct Sent(SmallInput Kind, int Peer, int What);

/// <summary>A real <see cref="WitnessRole"/> with a journal that is sealed, flushed and lost step by step, and with a judge of what it shows.</summary>
internal sealed class Replica
{
    private readonly SmallWorld _world;
    private readonly WitnessEffects _effects = new();
    private readonly List<WitnessRecord> _journal = [];
    private readonly List<UInt128> _recordHashes = [];
    private readonly List<Sent> _sent = [];
    private bool _isShownCertificate;
    private WitnessRole _role = null!;
    private ulong _mark;
    private bool _isSealed;
    private int _sealedLength;
    private int _durableLength;

    public Replica(SmallWorld world)
    {
        _world = world;
        Restart(0);
        while (TryApply(world.Inputs.Seal) || TryApply(world.Inputs.Durable))
        {
        }
    }

    /// <summary>Claims of mine that anybody may have seen, in whatever run: a bit each.</summary>
    public ulong Claimed { get; private set; }

    public int Crashes { get; private set; }

    public int Ticks { get; private set; }

    /// <summary>The batch of the stored tip shown last; −1 when there is none.</summary>
    public int Tip { get; private set; } = -1;

    /// <summary>What does not hold; null when all does.</summary>
    public string? Violation { get; private set; }

    /// <summary>What the last input made it send.</summary>
    public IReadOnlyList<Sent> SentNow => _sent;

    /// <summary>Claims of the certificates that are durable here: what it can serve.</summary>
    public IEnumerable<int> Stored => _journal.Take(_durableLength).OfType<CertificateRecord>().Select(record => ClaimOf(record.Certificate));

    /// <summary>Performs an input; false when it cannot happen now.</summary>
    public bool TryApply(int input)
    {
        (SmallInput kind, int peer, int what) = _world.Inputs[input];
        _sent.Clear();
        switch (kind)
        {
            case SmallInput.Batch:
                _role.OnBatch(_world.Signed(what), _effects);
                break;
            case SmallInput.Covered:
                _role.OnBatch(_world.Covered(what), _effects);
                break;
            case SmallInput.Ack:
                _role.OnAcks([_world.AckOf(peer, what)], _effects);
                break;
            case SmallInput.Certificate:
                _isShownCertificate = true;
                _role.OnCertificate(_world.CertificateOf(what), [], _effects);
                break;
            case SmallInput.Range:
                _isShownCertificate = true;
                _role.OnCertificate(_world.CertificateOf(what), [.. _world.BatchesOf(what).Select(batch => _world.Covered(batch).Statement)], _effects);
                break;
            case SmallInput.Seal:
                return TrySeal();
            case SmallInput.Durable:
                return TryFlush();
            case SmallInput.Crash:
                return TryCrash(what);
            case SmallInput.Connect:
                if (_world.Options.Fault != SmallFault.TellsPeersNothing)
                {
                    _role.OnPeerConnected(new WitnessIndex(peer), _effects);
                }

                break;
            case SmallInput.Tick:
                Ticks++;
                _role.OnTick(0, _effects);
                break;
            default:
                for (int i = 0; i < 12; i++)
                {
                    _role.OnTick(0, _effects);
                }

                break;
        }

        Perform();
        return true;
    }

    /// <summary>Everything that what happens from here on can depend on.</summary>
    public UInt128 Hash()
    {
        StructuralHash hash = new();
        hash.Walk(_role);
        AddJournal(hash);

        hash.Add(Claimed);
        hash.Add(((ulong)Crashes << 32) | ((ulong)Ticks << 8) | (uint)(Tip + 1));
        hash.Walk(Violation);
        return hash.Value;
    }

    /// <summary>
    /// The journal's order matters to a replay only. A witness that will not crash any more is told apart by which records are durable, sealed
    /// or neither, not by their order.
    /// </summary>
    private void AddJournal(StructuralHash hash)
    {
        bool isOrdered = Crashes < _world.Options.Crashes;
        UInt128 sum = 0;
        for (int i = 0; i <= _journal.Count; i++)
        {
            if (i == _durableLength || (i == _sealedLength && _isSealed) || i == _journal.Count)
            {
                hash.Add(unchecked((ulong)(sum >> 64)));
                hash.Add(unchecked((ulong)sum));
                hash.Add((ulong)i);
            }

            if (i < _journal.Count)
            {
                sum = unchecked((isOrdered ? sum * 0x9FB21C651E98DF25 : sum) + _recordHashes[i]);
            }
        }

        hash.Add(_isSealed ? 1ul : 0ul);
    }

    private bool TrySeal()
    {
        // One commit is in flight at a time, as in the node's driver.
        if (_isSealed || _durableLength == _journal.Count)
        {
            return false;
        }

        _role.OnSealed(new Mark(++_mark));
        _sealedLength = _journal.Count;
        if (_world.Options.Fault == SmallFault.CallsSealedDurable)
        {
            _role.OnDurable(new Mark(_mark), _effects);
            Perform();
        }

        _isSealed = true;
        return true;
    }

    private bool TryFlush()
    {
        if (!_isSealed)
        {
            return false;
        }

        _isSealed = false;
        _durableLength = _sealedLength;
        if (_world.Options.Fault != SmallFault.CallsSealedDurable)
        {
            _role.OnDurable(new Mark(_mark), _effects);
            Perform();
        }

        return true;
    }

    private bool TryCrash(int unnoticed)
    {
        if (_durableLength + unnoticed > _journal.Count)
        {
            return false;
        }

        Crashes++;
        Restart(unnoticed);
        return true;
    }

    /// <summary>What survived is durable now: a start flushes it before the first output (W9).</summary>
    private void Restart(int unnoticed)
    {
        _durableLength += unnoticed;
        _journal.RemoveRange(_durableLength, _journal.Count - _durableLength);
        _recordHashes.RemoveRange(_durableLength, _recordHashes.Count - _durableLength);
        _isSealed = false;
        _sealedLength = _durableLength;

        // A quota of one ack per sender for a stream not known yet (C3): repeats would make the scope endless, and an ack pushed out is a lost one.
        NodeLimits limits = NodeLimits.Default with { FetchAfterTicks = 1, FetchTimeoutTicks = 2, UnknownAcksMax = 1 };
        _role = new WitnessRole(_world.Committee, default, SmallSignatures.SignerOf(0), limits);
        int shown = Tip;
        Tip = -1;
        int lastCertificate = _journal.FindLastIndex(record => record is CertificateRecord);
        for (int i = 0; i < _journal.Count; i++)
        {
            Restore(_journal[i], isCertified: i < lastCertificate);
        }

        Perform();
        Require(shown < 0 || (Tip >= 0 && _world.SlotOf(Tip) >= _world.SlotOf(shown)), "Durability: a stored tip that was shown is gone after a restart.");
        Protocol.Model.Run run = new((ulong)Crashes + 1);
        _role.Start(run, _effects);

        // W9 is not what is searched here: all peers answer at once that they hold nothing unknown.
        foreach (WitnessIndex peer in _world.Committee.Members.Where(peer => peer.Value != 0))
        {
            _role.OnRecall(peer, [], null, run, _effects);
        }

        Perform();
    }

    private void Restore(WitnessRecord record, bool isCertified)
    {
        SmallFault fault = _world.Options.Fault;
        switch (record)
        {
            case BatchRecord batch when fault != SmallFault.ForgetsAcks || isCertified || batch.AckBase is null:
                _role.RestoreBatch(batch.Batch.Statement, batch.AckBase);
                break;
            case CertificateRecord certificate when fault != SmallFault.ForgetsCertificates:
                Require(_role.RestoreCertificate(certificate.Certificate, _effects), "W9: the journal contradicts itself.");
                break;
            case EvidenceRecord evidence:
                _role.RestoreEvidence(evidence.Evidence);
                break;
            case RunRecord run:
                _role.RestoreRun(run.Run, new Mark(ulong.MaxValue));
                break;
            case LostMemoryRecord:
                _role.RestoreLostMemory();
                break;
            case BatchRecord or CertificateRecord:
                break;
            default:
                throw new NotSupportedException($"How to replay a {record.GetType().Name} is not known: say it in {nameof(Replica)}.");
        }
    }

    private void Perform()
    {
        foreach (WitnessRecord record in _effects.Records.Where(record => record is not PeerRootRecord))
        {
            StructuralHash hash = new();
            hash.Walk(record);
            _journal.Add(record);
            _recordHashes.Add(hash.Value);
        }

        foreach (CertificateRecord record in _effects.Records.OfType<CertificateRecord>())
        {
            int signers = record.Certificate.Certificate.Entries.Select(entry => entry.Witness).Distinct().Count();
            Require(signers >= _world.Quorum, $"C1: a certificate of {signers} acks is believed.");
        }

        Show(-1, _effects.PeerAcks);
        foreach ((WitnessIndex? peer, AckBundle bundle) in _effects.PeerResends)
        {
            Show(peer?.Value ?? -1, [bundle]);
        }

        Show(-1, _effects.PublisherAcks.Select(acks => acks.Bundle));
        Show(-1, _effects.Refusals.Select(refusal => refusal.Refusal.Acks).OfType<AckBundle>());
        _effects.StoredTips.ForEach(tip => ShowTip(tip.Certificate));
        foreach (PeerTip tip in _effects.PeerTips)
        {
            _sent.Add(new Sent(SmallInput.Certificate, tip.Peer?.Value ?? -1, ShowTip(TipOf(tip.Tip))));
        }

        _sent.AddRange(_effects.Fetches.Select(fetch => new Sent(SmallInput.Range, fetch.Peer.Value, (int)fetch.From.Value)));

        // One certificate stands here for every quorum that may have acked its claim: whom its entries name says nothing about who acked.
        foreach (VerifiedEvidence evidence in _effects.Evidence)
        {
            Require(
                evidence.Witness is { } accused ? _isShownCertificate || accused.Value >= _world.Correct : _world.Options.Publisher != SmallPublisher.Correct,
                $"C2: {evidence} accuses a correct party.");
        }

        TipFork[] forks = [.. _effects.TipForks];
        _effects.Clear();
        foreach (TipFork fork in forks)
        {
            _role.OnTipFork(TipOf(fork.Tip), fork, _effects);
            Perform();
        }
    }

    /// <summary>What the host reads in the journal.</summary>
    private VerifiedCertificate TipOf(BatchRef tip) => _journal.OfType<CertificateRecord>().First(record => record.Certificate.Batch == tip).Certificate;

    private void Show(int peer, IEnumerable<AckBundle> bundles)
    {
        foreach (AckStatement ack in bundles.SelectMany(bundle => bundle.Leaves).Select(leaf => leaf.Statement))
        {
            Require(
                _journal.Take(_durableLength).Any(record => record is BatchRecord own && own.AckBase == ack.Base && own.Batch.Reference == ack.Batch),
                "W1: an ack is shown whose record is not durable.");
            if (_world.ClaimOf(ack.Batch, ack.Base) is not { } claim)
            {
                Require(false, $"W1: an ack of {ack} is shown, which nobody can ask for.");
                continue;
            }

            for (int other = 0; other < _world.Claims.Count; other++)
            {
                Require((Claimed & (1UL << other)) == 0 || _world.AreCompatible(claim, other), $"W1: {_world.NameOfClaim(claim)} is acked after {_world.NameOfClaim(other)}.");
            }

            Claimed |= 1UL << claim;
            _sent.Add(new Sent(SmallInput.Ack, peer, claim));
        }
    }

    private int ShowTip(VerifiedCertificate certificate)
    {
        int claim = ClaimOf(certificate);
        WitnessRecord[] durable = [.. _journal.Take(_durableLength)];
        Require(
            durable.Any(record => record is CertificateRecord stored && stored.Certificate.Batch == certificate.Batch)
                && _world.BatchesOf(claim).All(batch => durable.Any(record => record is BatchRecord stored && stored.Batch.Reference == _world.Signed(batch).Reference)),
            "W7: a tip is shown that is not durable with its bodies.");
        Require(Tip < 0 || _world.AreOnOneChain(Tip, _world.Claims[claim].Batch), "Consistency: a witness's tips are on two chains.");
        Tip = _world.Claims[claim].Batch;
        return claim;
    }

    private int ClaimOf(VerifiedCertificate certificate) =>
        _world.ClaimOf(certificate.Batch, certificate.Base) ?? throw new InvalidOperationException($"{certificate} is about nothing in this scope.");

    private void Require(bool condition, string text) => Violation ??= condition ? null : text;
}
