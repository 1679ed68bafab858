using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Protocol.Tests.Roles;

/// <summary>
/// n − f real witnesses, f that claim whatever helps a fork, one stream, and a network that loses, doubles and reorders. The thresholds here
/// are this file's own, so that a wrong one in the product does not excuse itself.
/// </summary>
internal sealed class RandomRun
{
    private const int Window = 3;
    private const int Slots = 5;

    private readonly Prng _random;
    private readonly TestCluster _cluster;
    private readonly TestStream _stream;
    private readonly bool _isPublisherCorrect;
    private readonly int _faulty;
    private readonly int _quorum;
    private readonly TestWitness[] _witnesses;
    private readonly List<VerifiedBatch> _batches = [];
    private readonly Dictionary<BatchRef, VerifiedBatch> _byReference = [];
    private readonly List<(int To, Action<TestWitness> Input)> _network = [];
    private readonly Dictionary<(int Witness, Sequence Slot), Digest> _claims = [];
    private readonly Dictionary<BatchRef, SortedDictionary<int, VerifiedAck>> _honestAcks = [];
    private readonly Dictionary<Sequence, Digest> _covered = [];
    private readonly Dictionary<int, int> _seenRecords = [];
    private readonly VerifiedBatch[] _main;
    private readonly VerifiedBatch[][] _stories;

    public RandomRun(ulong seed, TestCluster cluster, bool isPublisherCorrect)
    {
        _random = new Prng(seed);
        _cluster = cluster;
        _isPublisherCorrect = isPublisherCorrect;
        int n = cluster.Size.Count;
        _faulty = (n - 1) / 3;
        _quorum = ((n + _faulty) / 2) + 1;
        _stream = cluster.Stream();
        MakeBatches();
        _witnesses = [.. Enumerable.Range(0, n - _faulty).Select(index => new TestWitness(cluster, index, started: false))];
        _main = Tale();
        VerifiedBatch[] other = Tale();
        _stories = [.. _witnesses.Select(_ => _random.Chance(75) ? _main : other)];
    }

    public static TestCluster Cluster(int witnesses) => new(witnesses, new ClusterLimits { WindowSlots = Window });

    public bool HasForkedPublisher { get; private set; }

    public int Tips => _witnesses.Count(witness => EndOf(witness) > 0);

    public void Run(int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            Step();
            Array.ForEach(_witnesses, Observe);
        }

        if (_isPublisherCorrect)
        {
            Heal();
        }
    }

    private void MakeBatches()
    {
        _stream.AppendMany(Slots);
        _batches.AddRange(_stream.Batches);
        if (!_isPublisherCorrect)
        {
            // A second batch in each slot, each on either one below it.
            List<VerifiedBatch> below = [];
            for (int slot = 0; slot < Slots; slot++)
            {
                VerifiedBatch other = _stream.Batch((ulong)slot, slot == 0 ? Ancestor.None : Ancestor.Previous(_random.Of(below).Digest), $"other {slot}");
                _batches.Add(other);
                below = [other, _stream[slot]];
            }
        }

        _batches.ForEach(batch => _byReference[batch.Reference] = batch);
    }

    private void Step()
    {
        TestWitness witness = _random.Of(_witnesses);
        switch (_random.Below(40))
        {
            case < 13:
                Publish(witness);
                break;
            case < 22:
                Deliver();
                Deliver();
                Deliver();
                break;
            case < 28:
                witness.Seal();
                break;
            case < 35:
                witness.Durable();
                break;
            case < 36:
                witness.Restart(_random.Below(3));
                break;
            case < 39:
                Collude();
                break;
            default:
                witness.OnPeer(_random.Of(_witnesses).Index);
                witness.OnTicks(_random.Below(30));
                break;
        }
    }

    /// <summary>A faulty publisher tells most witnesses one story and the others another, and rarely slips: a proven one gets no more acks (W10).</summary>
    private VerifiedBatch[] Tale() =>
        _isPublisherCorrect ? [.. _batches] : [.. Chain(_random.Of(_batches.Where(batch => batch.Sequence.Value == Slots - 1).ToArray()), Sequence.Zero).Reverse()];

    private void Publish(TestWitness witness)
    {
        VerifiedBatch batch = _random.Of<VerifiedBatch>(_random.Chance(98) ? _stories[witness.Index] : _batches);

        // P4: a correct publisher keeps to its window.
        if (!_isPublisherCorrect || batch.Sequence.Value < (ulong)(_witnesses.Max(EndOf) + Window))
        {
            witness.OnBatch(batch);
        }
    }

    private void Deliver()
    {
        if (_network.Count == 0)
        {
            return;
        }

        int index = _random.Below(_network.Count);
        (int to, Action<TestWitness> input) = _network[index];
        if (!_random.Chance(20))
        {
            _network.RemoveAt(index);
        }

        if (!_random.Chance(10))
        {
            input(_witnesses[to]);
        }
    }

    /// <summary>Faulty witnesses ack anything from any base, and show what certificate that makes to one witness only.</summary>
    private void Collude()
    {
        VerifiedBatch batch = _random.Of<VerifiedBatch>(_random.Chance(50) ? _main : _batches);
        VerifiedAck[] lies = [.. Enumerable.Range(_witnesses.Length, _faulty).Select(liar => _cluster.Ack(liar, batch.Reference, LieBase(batch)))];
        TestWitness victim = _random.Of(_witnesses);
        victim.OnAcks(lies);
        if (_honestAcks.TryGetValue(batch.Reference, out SortedDictionary<int, VerifiedAck>? honest) && honest.Count + _faulty >= _quorum)
        {
            victim.OnCertificate(Certificate(batch.Reference, [.. honest.Values.OrderBy(ack => ack.Base).Take(_quorum - _faulty), .. lies]), Statements(batch));
        }
    }

    private ulong LieBase(VerifiedBatch batch) => batch.Sequence.Value - (ulong)_random.Below((int)Math.Min(batch.Sequence.Value + 1, Window));

    private VerifiedCertificate Certificate(BatchRef batch, VerifiedAck[] acks)
    {
        QuorumCertificate certificate = new(batch, _cluster.Committee.Epoch, [.. acks.OrderBy(ack => ack.Witness).Select(CertificateEntry.From)]);
        Assert.True(_cluster.Acks.TryVerify(certificate, out VerifiedCertificate? verified, out RejectReason reason), reason.ToString());
        return verified;
    }

    private VerifiedBatch[] Statements(VerifiedBatch top) => [.. Chain(top, Sequence.Zero).Take(_random.Below(Window + 1))];

    private IEnumerable<VerifiedBatch> Chain(VerifiedBatch top, Sequence from)
    {
        for (VerifiedBatch batch = top; ; batch = _byReference[new BatchRef(batch.Reference.Stream, batch.Sequence.Preceding, batch.Statement.Statement.Ancestor.Digest)])
        {
            yield return batch;
            if (batch.Sequence <= from)
            {
                yield break;
            }
        }
    }

    /// <summary>Checks and carries on what a witness did.</summary>
    private void Observe(TestWitness witness)
    {
        WitnessEffects shown = witness.Out;
        witness.Forget();
        foreach (AckBundle bundle in shown.PeerAcks.Concat(shown.PeerResends.Select(resend => resend.Bundle)))
        {
            VerifiedAck[] acks = _cluster.Verify(bundle);
            Array.ForEach(acks, ack => CheckAck(witness, ack));
            Send(witness, to => to.OnAcks(acks));
        }

        foreach (VerifiedAck ack in shown.PublisherAcks.Select(acks => acks.Bundle).Concat(shown.Refusals.Select(refusal => refusal.Refusal.Acks).OfType<AckBundle>()).SelectMany(_cluster.Verify))
        {
            CheckAck(witness, ack);
        }

        foreach (PeerTip tip in shown.PeerTips)
        {
            VerifiedCertificate certificate = witness.Journal.Take(witness.DurableLength).OfType<CertificateRecord>().First(record => record.Certificate.Batch == tip.Tip).Certificate;
            Send(witness, to => to.OnCertificate(certificate));
        }

        foreach (StoredTip tip in shown.StoredTips)
        {
            CheckTip(witness, tip.Certificate);
        }

        foreach (FetchOrder fetch in shown.Fetches)
        {
            Serve(fetch, witness);
        }

        foreach (VerifiedEvidence evidence in shown.Evidence)
        {
            Assert.True(evidence.Witness is { } accused ? accused.Value >= _witnesses.Length : !_isPublisherCorrect, $"{evidence} accuses a correct party.");
            HasForkedPublisher |= evidence.Witness is null;
        }

        CheckRecords(witness);
    }

    /// <summary>W1: what is shown is durable; C2: no two claims of a correct witness differ in a slot, whatever it lost in between.</summary>
    private void CheckAck(TestWitness witness, VerifiedAck ack)
    {
        Assert.Contains(
            witness.Journal.Take(witness.DurableLength),
            record => record is BatchRecord own && own.AckBase == ack.Base && own.Batch.Reference == ack.Batch);
        foreach (VerifiedBatch claimed in Chain(_byReference[ack.Batch], ack.Base))
        {
            _claims.TryAdd((witness.Index, claimed.Sequence), claimed.Digest);
            Assert.Equal(claimed.Digest, _claims[(witness.Index, claimed.Sequence)]);
        }

        _honestAcks.TryAdd(ack.Batch, []);
        _honestAcks[ack.Batch][witness.Index] = ack;
        CheckCertificates(ack.Batch);
    }

    /// <summary>Consistency: no certificate that the faulty could complete contradicts another.</summary>
    private void CheckCertificates(BatchRef batch)
    {
        Sequence[] bases = [.. _honestAcks[batch].Values.Select(ack => ack.Base).Order()];
        if (bases.Length + _faulty >= _quorum)
        {
            CheckCovered(batch, bases[_quorum - _faulty - 1]);
        }
    }

    private void CheckCovered(BatchRef batch, Sequence from)
    {
        foreach (VerifiedBatch covered in Chain(_byReference[batch], from))
        {
            _covered.TryAdd(covered.Sequence, covered.Digest);
            Assert.Equal(covered.Digest, _covered[covered.Sequence]);
        }
    }

    private void CheckRecords(TestWitness witness)
    {
        foreach (CertificateRecord record in witness.Journal.Skip(Math.Min(_seenRecords.GetValueOrDefault(witness.Index), witness.Journal.Count)).OfType<CertificateRecord>())
        {
            Assert.True(_cluster.Acks.TryVerifyCertificate(record.Certificate.Certificate.Bytes.Span, out _, out RejectReason reason), reason.ToString());
            Assert.True(record.Certificate.Certificate.Entries.Select(entry => entry.Witness).Distinct().Count() >= _quorum);
        }

        _seenRecords[witness.Index] = witness.DurableLength;
    }

    /// <summary>W7: certificate and bodies are durable; stored tips of correct witnesses lie on one chain.</summary>
    private void CheckTip(TestWitness witness, VerifiedCertificate certificate)
    {
        CheckCovered(certificate.Batch, certificate.Base);
        WitnessRecord[] durable = [.. witness.Journal.Take(witness.DurableLength)];
        Assert.Contains(durable, record => record is CertificateRecord stored && stored.Certificate.Batch == certificate.Batch);
        Assert.All(
            Chain(_byReference[certificate.Batch], certificate.Base),
            covered => Assert.Contains(durable, record => record is BatchRecord stored && stored.Batch.Reference == covered.Reference));
    }

    private void Send(TestWitness from, Action<TestWitness> input)
    {
        foreach (TestWitness to in _witnesses.Where(to => to != from))
        {
            _network.Add((to.Index, input));
        }
    }

    private void Serve(FetchOrder fetch, TestWitness asker)
    {
        if (fetch.Peer.Value >= _witnesses.Length)
        {
            return;
        }

        if (fetch.Batch is { } wanted)
        {
            _network.AddRange(Durable(_witnesses[fetch.Peer.Value]).OfType<BatchRecord>()
                .Where(record => record.Batch.Digest == wanted)
                .Select(record => (asker.Index, (Action<TestWitness>)(to => to.OnBatch(record.Batch)))));
            return;
        }

        foreach (CertificateRecord record in Durable(_witnesses[fetch.Peer.Value]).OfType<CertificateRecord>().Where(record => record.Certificate.Batch.Sequence >= fetch.From))
        {
            VerifiedBatch[] covered = [.. Chain(_byReference[record.Certificate.Batch], record.Certificate.Base)];
            _network.Add((asker.Index, to => to.OnCertificate(record.Certificate, covered)));
            foreach (VerifiedBatch batch in covered)
            {
                _network.Add((asker.Index, to => to.OnBatch(Unsigned(batch))));
            }
        }
    }

    private VerifiedBatch Unsigned(VerifiedBatch batch)
    {
        VerifiedStatement? statement = null;
        VerifiedBatch? unsigned = null;
        Assert.True(_cluster.Batches.TryVerifyCovered(batch.Statement.Statement.Bytes.Span, default, batch.Digest, out statement, out _)
            && _cluster.Batches.TryVerifyBody(statement, batch.Body, null, out unsigned, out _));
        return unsigned!;
    }

    private static IEnumerable<WitnessRecord> Durable(TestWitness witness) => witness.Journal.Take(witness.DurableLength);

    private static int EndOf(TestWitness witness) =>
        Durable(witness).OfType<CertificateRecord>().Select(record => (int)record.Certificate.Batch.Sequence.Value + 1).DefaultIfEmpty(0).Max();

    /// <summary>Validity: links work again, the faulty stay silent, and a correct publisher's stream gets to its end everywhere.</summary>
    private void Heal()
    {
        for (int round = 0; round < 40 && _witnesses.Any(witness => EndOf(witness) < Slots); round++)
        {
            int window = _witnesses.Max(EndOf) + Window;
            foreach (TestWitness witness in _witnesses)
            {
                witness.OnBatch([.. _batches.Take(window)]);
                witness.Flush();
                witness.OnPeer(0);
                witness.OnTicks(25);
                Observe(witness);
            }

            foreach ((int to, Action<TestWitness> input) in _network.ToArray())
            {
                input(_witnesses[to]);
            }

            _network.Clear();
        }

        Assert.All(_witnesses, witness => Assert.Equal(Slots, EndOf(witness)));
    }
}
