using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Bft.Sim;
using Bft.Storage.Tests;
using Bft.Wire.Frames;

namespace Bft.Node.Tests.Ingress;

/// <summary>What a peer tells of its own accord, at a witness that stored four batches of a stream.</summary>
public sealed class ExchangeIntakeTests : IDisposable
{
    private const int Self = 0;
    private const int Peer = 1;
    private readonly TestCluster _cluster = new();
    private readonly TestStream _stream;
    private readonly StoringWitness _witness;
    private readonly ExchangeIntake _intake;

    public ExchangeIntakeTests()
    {
        _stream = _cluster.Stream();
        _stream.AppendMany(5);
        _witness = new StoringWitness(_cluster, new SimulatedDisk());
        _witness.OnBatch([.. _stream.Batches]);
        _witness.Certify(_cluster, _stream[3], from: 0);
        _intake = new ExchangeIntake(_cluster.Committee, new WitnessIndex(Self), new WitnessIndex(Peer), _witness.Store, new CountedSignatures(Ed25519.Instance));
    }

    public void Dispose()
    {
        _witness.Dispose();
        _cluster.Dispose();
    }

    [Fact]
    public void W7_acks_of_what_is_certified_cost_nothing_and_one_that_is_not_makes_the_bundle_count()
    {
        Assert.Equal(default, _intake.Take(Acks(Bundle(Peer, 2, 3))));
        Assert.Equal(2, Assert.IsType<AcksInput>(_intake.Take(Acks(Bundle(Peer, 3, 4))).Input).Acks.Count);
        Assert.NotNull(_intake.Take(Acks(Forged(Bundle(Peer, 3, 4)))).Fault);
    }

    [Fact]
    public void W9_own_acks_count_however_late_they_come()
    {
        Assert.IsType<AcksInput>(_intake.Take(Acks(Bundle(Self, 2, 3))).Input);
    }

    [Fact]
    public void W9_the_root_of_late_acks_is_looked_at_with_the_next_heartbeat()
    {
        Assert.Equal(default, _intake.Take(Acks(Forged(Bundle(Peer, 2, 3)))));
        Assert.NotNull(_intake.Take(new HeartbeatFrame()).Fault);

        Assert.Equal(default, _intake.Take(Acks(Bundle(Peer, 2, 3))));
        Assert.IsType<HeartbeatInput>(_intake.Take(new HeartbeatFrame()).Input);
    }

    [Fact]
    public void W9_a_recall_shows_acks_of_this_witness_and_of_no_other()
    {
        Assert.IsType<RecallInput>(_intake.Take(new RecallFrame(Bundle(Self, 3).Encode(), new Run(5))).Input);
        Assert.NotNull(_intake.Take(new RecallFrame(Bundle(Peer, 3).Encode(), new Run(5))).Fault);
        Assert.NotNull(_intake.Take(new RecallFrame(Forged(Bundle(Self, 3)).Encode(), new Run(5))).Fault);
        Assert.IsType<RecallInput>(_intake.Take(new RecallFrame(default, new Run(5))).Input);
    }

    [Fact]
    public void W8_a_tip_is_news_or_nothing_or_C2_the_proof_of_a_fork()
    {
        VerifiedBatch beside = _cluster.Stream().Batch(3, Ancestor.Previous(_stream[2].Digest), "beside");

        Assert.IsType<CertificateInput>(_intake.Take(Tip(_stream[4])).Input);
        Assert.Equal(default, _intake.Take(Tip(_stream[3])));
        Assert.IsType<StoredForkInput>(_intake.Take(Tip(beside)).Input);
        Assert.NotNull(_intake.Take(new TipFrame(Tip(_stream[4]).Certificate[1..])).Fault);
    }

    [Fact]
    public void W10_evidence_that_proves_nothing_ends_the_call()
    {
        SignedStatement one = SignedStatement.From(_stream[4].Statement);
        SignedStatement other = SignedStatement.From(_cluster.Stream().Batch(4, Ancestor.Previous(_stream[3].Digest), "beside").Statement);

        Assert.IsType<EvidenceInput>(_intake.Take(new EvidenceFrame(new PublisherEquivocation(one, other).Encode())).Input);
        Assert.NotNull(_intake.Take(new EvidenceFrame(new PublisherEquivocation(one, one).Encode())).Fault);
    }

    private AckBundle Bundle(int witness, params int[] slots) =>
        _cluster.Bundle(witness, [.. slots.Select(slot => new AckStatement(_stream[slot].Reference, _stream[slot].Sequence))]);

    private static AckBundle Forged(AckBundle bundle)
    {
        using Ed25519Signer nobody = TestCluster.SignerOf('n', 0);
        return bundle with { Signature = bundle.Root.Sign(nobody) };
    }

    private static AcksFrame Acks(AckBundle bundle) => new(bundle.Encode());

    private TipFrame Tip(VerifiedBatch batch) => new(_cluster.Certify(batch.Reference).Certificate.Bytes);
}
