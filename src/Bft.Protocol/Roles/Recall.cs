using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Protocol.Roles;

/// <summary>W9: asks the peers, at every start, what they hold of mine, and notices that my memory is lost; holds for each peer what answers the same question.</summary>
/// <remarks>
/// A peer's highest root survives a restart here: certificates that are recorded carry roots, and what is above them is recorded when the peer's run is new, else every
/// <see cref="RecordTicks"/> at most (D41).
/// </remarks>
internal sealed class Recall(Committee committee, WitnessIndex self)
{
    /// <summary>Peers that are not needed may answer for so long. Unit: milliseconds.</summary>
    private const long PatienceMs = 10_000;

    /// <summary>The question is repeated this often: a message may be lost. Unit: ticks.</summary>
    private const int AskTicks = 25;

    private const int RecordTicks = 500;

    private readonly SortedDictionary<ulong, Mark> _runs = []; // earlier ones, with the last mark replayed; one per start
    private readonly HeldRoot?[] _highest = new HeldRoot?[committee.Size.Count];
    private readonly HeldRoot?[] _recorded = new HeldRoot?[committee.Size.Count];
    private WitnessSet _answered = WitnessSet.Empty.With(self);
    private Run? _replaying;
    private Run _run;
    private bool _isStarted;
    private long? _sinceMs;
    private int _ticks;

    /// <summary>Nothing that acks may be said yet.</summary>
    public bool IsAsking { get; private set; }

    /// <summary>Never ack again under this key.</summary>
    public bool HasLostMemory { get; private set; }

    /// <summary>S2: records that rebuild what this holds of peers and of runs, the one that goes on last.</summary>
    public IEnumerable<WitnessRecord> Remembered() =>
    [
        .. _runs.Select(run => new RunRecord(new Run(run.Key), run.Value)),
        new RunRecord(_run),
        .. _highest.OfType<HeldRoot>().Select(root => new PeerRootRecord(root.ToBundle(committee))),
        .. HasLostMemory ? [new LostMemoryRecord()] : Array.Empty<WitnessRecord>(),
    ];

    /// <summary>A run's record is replayed.</summary>
    public void RestoreRun(Run run, Mark mark, bool isOver)
    {
        _runs[run.Value] = mark;
        _replaying = isOver ? null : run;
    }

    /// <summary>Some record of the run replayed last is in this commit.</summary>
    public void RestoreMark(Mark mark)
    {
        if (_replaying is { } run)
        {
            _runs[run.Value] = mark;
        }
    }

    public void RestoreRoot(AckBundle bundle) =>
        See(new HeldRoot(bundle.Root.Witness, bundle.Root.Run, bundle.Root.Mark, bundle, null));

    public void RestoreLostMemory() => HasLostMemory = true;

    public void Start(Run run)
    {
        _run = run;
        _isStarted = true;
        IsAsking = !HasLostMemory;
#if PLANTED
        IsAsking &= !Crypto.Planted.Is("start-asks-nobody");
#endif

        // Whatever was replayed is in the journal.
        _highest.CopyTo(_recorded, 0);
    }

    /// <summary>A peer's connection opened: what I hold of it, and my question.</summary>
    public void OnPeerConnected(WitnessIndex peer, WitnessEffects effects) => Tell(peer, IsAsking && !_answered.Contains(peer) ? _run : null, null, effects);

    /// <summary>A peer says what it holds of mine, asks for the like, or answers.</summary>
    /// <returns>True when this ended the asking.</returns>
    public bool OnRecall(WitnessIndex peer, Run? asks, Run? answers, WitnessEffects effects)
    {
        if (asks is { } run)
        {
            // No question with an answer, or two that ask would not stop.
            Tell(peer, null, run, effects);
        }

        if (answers == _run)
        {
            _answered = _answered.With(peer);
        }

        return TryEnd(_sinceMs);
    }

    /// <returns>True when this ended the asking.</returns>
    public bool OnTick(long nowMs, WitnessEffects effects)
    {
        if (!_isStarted)
        {
            return false;
        }

        _ticks = (_ticks + 1) % RecordTicks;
        foreach (WitnessIndex peer in committee.Members)
        {
            if (peer == self)
            {
                continue;
            }

            Record(peer, effects);
            if (IsAsking && _ticks % AskTicks == 0 && !_answered.Contains(peer))
            {
                Tell(peer, _run, null, effects);
            }
        }

        // A clock that went back begins anew.
        _sinceMs = _sinceMs is { } since && since <= nowMs ? since : nowMs;
        return TryEnd(nowMs);
    }

    /// <summary>A verified ack's root; false when it proves that I lost my memory.</summary>
    public bool See(VerifiedAck ack)
    {
        AckRootStatement root = ack.Root.Statement;
        if (root.Witness != self)
        {
            See(new HeldRoot(root.Witness, root.Run, root.Mark, ack.ToBundle(), null));
        }

        return root.Witness != self || IsRemembered(root.Run, root.Mark);
    }

    /// <summary>The roots in a verified certificate; false when one proves that I lost my memory.</summary>
    public bool See(VerifiedCertificate certificate)
    {
        bool isRemembered = true;
        foreach (CertificateEntry entry in certificate.Certificate.Entries)
        {
            if (entry.Witness != self)
            {
                See(new HeldRoot(entry.Witness, entry.Run, entry.Mark, null, certificate));
            }
            else
            {
                isRemembered = IsRemembered(entry.Run, entry.Mark);
            }
        }

        return isRemembered;
    }

    /// <summary>From now on never ack.</summary>
    public void LoseMemory(WitnessEffects effects)
    {
        if (!HasLostMemory)
        {
            HasLostMemory = true;
            IsAsking = false;
            effects.Records.Add(new LostMemoryRecord());
            effects.HasLostMemory = true;
        }
    }

    /// <summary>A root of mine is from this run, or from one that I have a record of, no later than the last of its marks that was replayed.</summary>
    private bool IsRemembered(Run run, Mark mark) => run == _run || (_runs.TryGetValue(run.Value, out Mark last) && mark <= last);

    private void See(HeldRoot root)
    {
        if (_highest[root.Witness.Value] is not { } held || root.Mark > held.Mark)
        {
            _highest[root.Witness.Value] = root;
        }
    }

    private bool TryEnd(long? nowMs)
    {
        if (!IsAsking || _answered.Count < committee.Size.Responsive || (_answered.Count < committee.Size.Count && !(nowMs - _sinceMs >= PatienceMs)))
        {
            return false;
        }

        IsAsking = false;
        return true;
    }

    private void Tell(WitnessIndex peer, Run? asks, Run? answers, WitnessEffects effects) =>
        effects.Recalls.Add(new PeerRecall(peer, _highest[peer.Value]?.ToBundle(committee), asks, answers));

    private void Record(WitnessIndex peer, WitnessEffects effects)
    {
        HeldRoot? highest = _highest[peer.Value];
        HeldRoot? recorded = _recorded[peer.Value];
        if (highest is not null && !ReferenceEquals(highest, recorded) && (highest.Run != recorded?.Run || _ticks % RecordTicks == 0))
        {
            _recorded[peer.Value] = highest;
            effects.Records.Add(new PeerRootRecord(highest.ToBundle(committee)));
        }
    }

    /// <summary>A peer's root, by an ack under it or by a certificate that holds one.</summary>
    private sealed record HeldRoot(WitnessIndex Witness, Run Run, Mark Mark, AckBundle? Bundle, VerifiedCertificate? Certificate)
    {
        public AckBundle ToBundle(Committee committee) => Bundle ?? Certificate!.AckOf(Witness, committee)!.ToBundle();
    }
}
