using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Tests.Verification;

public sealed class EvidenceTests : IDisposable
{
    private readonly TestCluster _cluster = new();
    private readonly TestStream _stream;
    private readonly EvidenceVerifier _verifier;

    // Two branches that part in slot 1.
    private readonly VerifiedBatch _root;
    private readonly VerifiedBatch[] _left;
    private readonly VerifiedBatch[] _right;

    public EvidenceTests()
    {
        _stream = _cluster.Stream();
        _verifier = new EvidenceVerifier(_cluster.Committee, Ed25519.Instance);
        _root = _stream.Append();
        _left = Branch("left");
        _right = Branch("right");
    }

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void W3_two_statements_in_one_slot_are_evidence_against_their_publisher()
    {
        VerifiedEvidence evidence = AssertProven(new PublisherEquivocation(Signed(_left[0]), Signed(_right[0])));

        Assert.Equal(_stream.Signer.PublicKey, evidence.Offender);
        Assert.Null(evidence.Witness);
        Assert.Equal(_left[0].Reference.Slot, evidence.Slot);
    }

    [Fact]
    public void W3_no_correct_publisher_is_named()
    {
        VerifiedBatch foreign = _cluster.Stream(publisher: 1).Append();

        AssertRefused(RejectReason.NoConflict, new PublisherEquivocation(Signed(_left[0]), Signed(_left[0])));
        AssertRefused(RejectReason.NoConflict, new PublisherEquivocation(Signed(_left[0]), Signed(_left[1])));
        AssertRefused(RejectReason.NoConflict, new PublisherEquivocation(Signed(_root), Signed(foreign)));
        AssertRefused(RejectReason.BadSignature, new PublisherEquivocation(Signed(_left[0]), Signed(_right[0]) with { Signature = Signed(_left[0]).Signature }));
        AssertRefused(RejectReason.BadSignature, new PublisherEquivocation(Signed(_left[0]) with { Signature = default }, Signed(_right[0])));
    }

    [Fact]
    public void C2_two_acks_of_one_witness_in_one_slot_are_evidence()
    {
        VerifiedEvidence evidence = AssertProven(new WitnessEquivocation(Side(2, _left[0], 1), Side(2, _right[0], 1)));

        Assert.Equal(2, evidence.Witness?.Value);
        Assert.Equal(_cluster.Committee.Keys[2], evidence.Offender);
    }

    [Fact]
    public void C2_acks_in_different_slots_whose_intervals_share_one_are_evidence_with_their_chains()
    {
        VerifiedEvidence evidence = AssertProven(new WitnessEquivocation(Side(1, _left[2], 1, _left[2], _left[1]), Side(1, _right[1], 0, _right[1])));

        Assert.Equal(new Slot(_stream.Id, new Sequence(1)), evidence.Slot);
    }

    [Fact]
    public void C2_no_correct_witness_is_named()
    {
        // Claims that reach no lower than their own slots share none.
        AssertRefused(RejectReason.NoConflict, new WitnessEquivocation(Side(1, _left[2], 2, _left[2], _left[1]), Side(1, _right[1], 1, _right[1])));
        AssertRefused(RejectReason.NoConflict, new WitnessEquivocation(Side(1, _left[2], 3), Side(1, _right[1], 2)));

        // Two witnesses, one batch, one chain.
        AssertRefused(RejectReason.NoConflict, new WitnessEquivocation(Side(1, _left[0], 1), Side(2, _right[0], 1)));
        AssertRefused(RejectReason.NoConflict, new WitnessEquivocation(Side(1, _left[0], 0), Side(1, _left[0], 1)));
        AssertRefused(RejectReason.NoConflict, new WitnessEquivocation(Side(1, _left[2], 0, _left[2], _left[1]), Side(1, _left[0], 0)));

        // Both branches share slot 0.
        AssertRefused(RejectReason.NoConflict, new WitnessEquivocation(Side(1, _left[0], 0, _left[0]), Side(1, _right[0], 0, _right[0])));
    }

    [Fact]
    public void C2_a_chain_that_does_not_link_proves_nothing()
    {
        AssertRefused(RejectReason.OtherDigest, new WitnessEquivocation(Side(1, _left[2], 1, _left[1]), Side(1, _right[0], 1)));
        AssertRefused(RejectReason.OtherDigest, new WitnessEquivocation(Side(1, _left[2], 1, _left[2], _right[1]), Side(1, _right[0], 1)));
        // Slot 0 follows nothing.
        AssertRefused(RejectReason.NoConflict, new WitnessEquivocation(Side(1, _root, 0, _root), Side(1, _right[0], 0)));
    }

    [Fact]
    public void C2_signatures_and_bundles_are_checked()
    {
        AckWithChain good = Side(1, _left[0], 1);
        AckWithChain other = Side(1, _right[0], 1);
        AckBundle two = _cluster.Bundle(1, new AckStatement(_left[0].Reference, new Sequence(1)), new AckStatement(_left[1].Reference, new Sequence(1)));

        AssertRefused(RejectReason.BadSignature, new WitnessEquivocation(good with { Ack = good.Ack with { Signature = other.Ack.Signature } }, other));
        AssertRefused(RejectReason.Malformed, new WitnessEquivocation(new AckWithChain(two, []), other));
    }

    [Fact]
    public void Every_changed_or_missing_byte_is_refused()
    {
        foreach (Evidence evidence in new Evidence[]
        {
            new PublisherEquivocation(Signed(_left[0]), Signed(_right[0])),
            new WitnessEquivocation(Side(1, _left[1], 1, _left[1]), Side(1, _right[0], 1)),
        })
        {
            byte[] bytes = evidence.Encode();
            Assert.True(_verifier.TryVerify(bytes, out _, out _));
            for (int i = 0; i < bytes.Length; i++)
            {
                byte[] changed = [.. bytes];
                changed[i] ^= 1;
                Assert.False(_verifier.TryVerify(changed, out _, out _), $"{evidence.Kind}, byte {i}");
                Assert.False(_verifier.TryVerify(bytes.AsSpan(0, i), out _, out _));
            }

            Assert.False(_verifier.TryVerify([.. bytes, 0], out _, out _));
        }
    }

    private static SignedStatement Signed(VerifiedBatch batch) => SignedStatement.From(batch.Statement);

    private VerifiedBatch[] Branch(string name)
    {
        List<VerifiedBatch> branch = [_root];
        for (ulong sequence = 1; sequence <= 3; sequence++)
        {
            branch.Add(_stream.Batch(sequence, Ancestor.Previous(branch[^1].Digest), $"{name} {sequence}"));
        }

        return [.. branch.Skip(1)];
    }

    private AckWithChain Side(int witness, VerifiedBatch batch, ulong from, params VerifiedBatch[] chain) =>
        new(_cluster.Bundle(witness, new AckStatement(batch.Reference, new Sequence(from))), [.. chain.Select(link => link.Statement.Statement.Bytes)]);

    private VerifiedEvidence AssertProven(Evidence evidence)
    {
        Assert.True(_verifier.TryVerify(evidence.Encode(), out VerifiedEvidence? verified, out RejectReason reason), reason.ToString());
        return verified;
    }

    private void AssertRefused(RejectReason expected, Evidence evidence)
    {
        Assert.False(_verifier.TryVerify(evidence, out _, out RejectReason reason));
        Assert.Equal(expected, reason);
        Assert.False(_verifier.TryVerify(evidence.Encode(), out _, out _));
    }
}
