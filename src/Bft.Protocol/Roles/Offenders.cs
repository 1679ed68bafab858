using Bft.Crypto;
using Bft.Protocol.Certifying;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Protocol.Roles;

/// <summary>Who is proven faulty, and by what. Rules W10 and C2.</summary>
/// <remarks>
/// The first evidence about a key is kept, told to all, and told again to peers whose heartbeat shows that they lack some (W8). Bound: one per witness and per
/// publisher that a policy admits; of an offender's further streams only those that are known here are marked (D44).
/// </remarks>
internal sealed class Offenders(Committee committee)
{
    private const int HeartbeatsMax = 32;

    private readonly SortedDictionary<PublicKey, VerifiedEvidence> _first = [];
    private readonly SortedSet<StreamId> _streams = [];
    private readonly PeerTurn[] _turns = [.. committee.Members.Select(_ => new PeerTurn())];

    /// <summary>Over the offenders' keys; layout in docs/wire.md.</summary>
    public Digest Digest { get; private set; } = Sha256.Hash([]);

    public IReadOnlyCollection<VerifiedEvidence> Evidence => _first.Values;

    /// <summary>W10: the publisher of this stream is proven faulty in it.</summary>
    public bool Contains(StreamId stream) => _streams.Contains(stream);

    /// <summary>Evidence is replayed.</summary>
    public void Restore(VerifiedEvidence evidence)
    {
        if (evidence.Witness is null)
        {
            _streams.Add(evidence.Slot.Stream);
        }

        if (_first.TryAdd(evidence.Offender, evidence))
        {
            byte[] keys = new byte[PublicKey.Length * _first.Count];
            foreach ((int index, PublicKey key) in _first.Keys.Index())
            {
                key.CopyTo(keys.AsSpan(index * PublicKey.Length));
            }

            Digest = Sha256.Hash(keys);
        }
    }

    /// <summary>Keeps and tells evidence, if it is news.</summary>
    /// <param name="evidence">Of a peer's, or found here.</param>
    /// <param name="isKnownStream">The stream in which it stands is one of this witness.</param>
    /// <param name="effects">Gets record and message.</param>
    public bool Keep(VerifiedEvidence evidence, bool isKnownStream, WitnessEffects effects)
    {
        bool isNews = !_first.ContainsKey(evidence.Offender) || (evidence.Witness is null && isKnownStream && !Contains(evidence.Slot.Stream));
        if (!isNews)
        {
            effects.Ignored.Add(IgnoreReason.AlreadyProven);
            return false;
        }

        Restore(evidence);
        effects.Records.Add(new EvidenceRecord(evidence));
        effects.Evidence.Add(evidence);
        foreach (PeerTurn turn in _turns)
        {
            turn.Wait = 0;
            turn.WaitNext = 1;
        }

        return true;
    }

    /// <summary>C2: compares an ack with those that its witness is known to have signed.</summary>
    public void Compare(WitnessStream stream, VerifiedAck ack, WitnessEffects effects)
    {
        if (!_first.ContainsKey(committee.KeyOf(ack.Witness)) && AckConflicts.Find(stream.Collector, ack, stream.StatementOf, committee) is { } evidence)
        {
            Keep(evidence, isKnownStream: true, effects);
        }
    }

    /// <summary>C2: a statement that came after the acks which it leads from, or to.</summary>
    public void Compare(WitnessStream stream, VerifiedStatement statement, WitnessEffects effects)
    {
        stream.IsDivergent |= stream.Witness.IsPublisherProven;
        if (stream.IsDivergent && stream.Show(statement))
        {
            for (ulong slot = statement.Sequence.Value; slot < statement.Sequence.Value + (ulong)committee.Limits.WindowSlots; slot++)
            {
                CompareAll(stream, stream.Collector.AcksAt(new Sequence(slot)), effects);
            }
        }
    }

    /// <summary>C2: the acks inside a certificate are compared with all others of their witnesses, and with the stored tip.</summary>
    /// <param name="stream">Whose.</param>
    /// <param name="certificate">Verified.</param>
    /// <param name="statements">Of slots that it covers.</param>
    /// <param name="effects">Gets the evidence.</param>
    public void Compare(WitnessStream stream, VerifiedCertificate certificate, IReadOnlyList<VerifiedStatement> statements, WitnessEffects effects)
    {
        StreamWitness witness = stream.Witness;
        BatchRef batch = certificate.Batch;
        stream.IsDivergent |= witness.Contradicts(batch) || stream.Collector.HasOther(batch);
        if (!stream.IsDivergent && statements.Count == 0)
        {
            return;
        }

        Dictionary<BatchRef, VerifiedStatement> shown = [];
        foreach (VerifiedStatement statement in statements)
        {
            shown[statement.Reference] = statement;
        }

        // Down to the stored tip, if it reaches so far.
        List<VerifiedStatement> chain = [];
        BatchRef claim = batch;
        while (claim.Sequence >= witness.StoredEnd && claim.Sequence > certificate.Base
            && (shown.GetValueOrDefault(claim) ?? stream.StatementOf(claim)) is { Statement.Ancestor.Kind: AncestorKind.Previous } statement)
        {
            chain.Add(statement);
            claim = new BatchRef(claim.Stream, claim.Sequence.Preceding, statement.Statement.Ancestor.Digest);
        }

        if (witness.StoredTip is { } tip && tip.Slot == claim.Slot && tip != claim)
        {
            stream.IsDivergent = true;
            effects.TipForks.Add(new TipFork(tip, certificate, [.. chain]));
        }

        stream.IsDivergent |= chain.Any(statement => witness.Contradicts(statement.Reference));
        if (stream.IsDivergent && batch.Sequence >= witness.StoredEnd && batch.Sequence.Value < witness.StoredEnd.Value + (2 * (ulong)committee.Limits.WindowSlots))
        {
            chain.ForEach(statement => stream.Show(statement));
            foreach (VerifiedCertificate known in witness.Certificates.Append(certificate).ToArray())
            {
                VerifiedAck[] acks = [.. known.Certificate.Entries.Select(entry => known.AckOf(entry.Witness, committee)!)];
                foreach (VerifiedAck ack in acks)
                {
                    stream.Collector.OnAck(ack, out _);
                }

                CompareAll(stream, acks, effects);
            }
        }
    }

    /// <summary>C2: two certificates claim different batches in a slot: names each witness that stands in both and claims it in both.</summary>
    /// <param name="slot">Where.</param>
    /// <param name="first">One.</param>
    /// <param name="firstChain">Its statements from its own down to the one above the slot.</param>
    /// <param name="second">The other.</param>
    /// <param name="secondChain">The same of the other.</param>
    /// <param name="effects">Gets the evidence.</param>
    public void Compare(
        Slot slot, VerifiedCertificate first, IEnumerable<VerifiedStatement> firstChain, VerifiedCertificate second, IEnumerable<VerifiedStatement> secondChain, WitnessEffects effects)
    {
        ReadOnlyMemory<byte>[] down = [.. firstChain.Select(statement => statement.Statement.Bytes)];
        ReadOnlyMemory<byte>[] otherDown = [.. secondChain.Select(statement => statement.Statement.Bytes)];
        foreach (CertificateEntry entry in first.Certificate.Entries)
        {
            if (first.AckOf(entry.Witness, committee) is { } ack && second.AckOf(entry.Witness, committee) is { } other
                && ack.Base <= slot.Sequence && other.Base <= slot.Sequence && !_first.ContainsKey(committee.KeyOf(entry.Witness)))
            {
                Keep(VerifiedEvidence.Of(committee.KeyOf(entry.Witness), slot, ack, down, other, otherDown), isKnownStream: true, effects);
            }
        }
    }

    /// <summary>W8: a peer's heartbeat tells a digest. When it is not mine it gets one piece of evidence after the other, ever more slowly.</summary>
    public void OnDigest(WitnessIndex peer, Digest digest, WitnessEffects effects)
    {
        PeerTurn turn = _turns[peer.Value];
        if (digest == Digest || _first.Count == 0 || turn.Wait-- > 0)
        {
            return;
        }

        turn.Wait = turn.WaitNext;
        turn.WaitNext = Math.Min(2 * turn.WaitNext, HeartbeatsMax);
        effects.PeerEvidence.Add((peer, _first.Values.ElementAt(turn.Place++ % _first.Count)));
    }

    private void CompareAll(WitnessStream stream, IEnumerable<VerifiedAck> acks, WitnessEffects effects)
    {
        foreach (VerifiedAck ack in acks)
        {
            Compare(stream, ack, effects);
        }
    }

    private sealed class PeerTurn
    {
        public int Place { get; set; }

        /// <summary>Heartbeats to let pass.</summary>
        public int Wait { get; set; }

        public int WaitNext { get; set; } = 1;
    }
}
