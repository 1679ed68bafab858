using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Tests.Verification;

public sealed class CertificateTests : IDisposable
{
    private readonly TestCluster _cluster = new(limits: ClusterLimits.Default with { WindowSlots = 4 });
    private readonly VerifiedBatch[] _batches;

    public CertificateTests() => _batches = _cluster.Stream().AppendMany(6);

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void C1_a_certificate_covers_from_its_highest_base_to_its_own_slot()
    {
        QuorumCertificate certificate = Certificate(
            Entry(0, _batches[5], from: 2), Entry(1, _batches[5], from: 4), Entry(2, _batches[5], from: 3));

        Assert.True(_cluster.Acks.TryVerify(certificate, out VerifiedCertificate? verified, out _));
        Assert.Equal(new Sequence(4), verified.Base);
        Assert.Equal([false, true, true], new ulong[] { 3, 4, 5 }.Select(slot => verified.Covers(new Sequence(slot))));
        Assert.False(verified.Covers(new Sequence(6)));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(9)]
    public void C1_one_ack_fewer_than_a_quorum_is_no_certificate(int witnesses)
    {
        using TestCluster cluster = new(witnesses);
        VerifiedBatch batch = cluster.Stream().Append();
        QuorumCertificate whole = cluster.Certify(batch.Reference).Certificate;

        Assert.False(cluster.Acks.TryVerify(new QuorumCertificate(whole.Batch, whole.Epoch, [.. whole.Entries.Skip(1)]), out _, out RejectReason reason));
        Assert.Equal(RejectReason.UnderQuorum, reason);
    }

    [Fact]
    public void C1_each_witness_counts_once()
    {
        CertificateEntry twice = Entry(1, _batches[0]);
        QuorumCertificate certificate = Certificate(_batches[0], Entry(0, _batches[0]), twice, twice);

        Assert.False(_cluster.Acks.TryVerify(certificate, out _, out RejectReason reason));
        Assert.Equal(RejectReason.DuplicateWitness, reason);
        Assert.False(QuorumCertificate.TryParse(certificate.Bytes.Span, out _));
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(1, false)]
    [InlineData(6, false)]
    public void C1_a_base_above_the_slot_or_a_window_below_it_is_refused(ulong from, bool isLegal)
    {
        AckStatement ack = new(_batches[5].Reference, new Sequence(from));
        AckBundle bundle = _cluster.Bundle(0, ack);

        Assert.Equal(isLegal, ack.HasLegalBase(4));
        Assert.Equal(isLegal, _cluster.Acks.TryVerify(bundle, out _, out RejectReason reason));
        Assert.Equal(isLegal ? RejectReason.None : RejectReason.BadBase, reason);
        CertificateEntry entry = EntryOf(bundle);
        Assert.Equal(isLegal, _cluster.Acks.TryVerify(Certificate(entry, Entry(1, _batches[5]), Entry(2, _batches[5])), out _, out reason));
        Assert.Equal(isLegal ? RejectReason.None : RejectReason.BadBase, reason);
    }

    [Fact]
    public void C1_acks_of_strangers_other_epochs_and_other_clusters_are_refused()
    {
        using TestCluster larger = new(7, ClusterLimits.Default with { WindowSlots = 4 });
        AckBundle stranger = larger.Bundle(6, new AckStatement(_batches[0].Reference, Sequence.Zero));
        AckBundle ours = _cluster.Bundle(0, new AckStatement(_batches[0].Reference, Sequence.Zero));

        AssertRefused(RejectReason.OtherCluster, stranger);
        AssertRefused(RejectReason.UnknownWitness, stranger with { Root = stranger.Root with { Cluster = _cluster.Committee.Cluster } });
        AssertRefused(RejectReason.OtherEpoch, ours with { Root = ours.Root with { Epoch = new Epoch(1) } });
        AssertRefused(RejectReason.BadSignature, ours with { Root = ours.Root with { Witness = new WitnessIndex(1) } });
    }

    [Fact]
    public void C1_every_field_of_an_ack_is_signed()
    {
        AckBundle good = _cluster.Bundle(0, new AckStatement(_batches[3].Reference, new Sequence(2)), new AckStatement(_batches[4].Reference, new Sequence(2)));
        AckLeaf leaf = good.Leaves[0];
        Assert.True(_cluster.Acks.TryVerify(good, out _, out _));

        AssertRefused(RejectReason.BadSignature, good with { Root = good.Root with { Run = new Run(9) } });
        AssertRefused(RejectReason.BadSignature, good with { Root = good.Root with { Mark = new Mark(99) } });
        AssertRefused(RejectReason.BadPath, good with { Root = good.Root with { Root = _batches[0].Digest } });
        AssertRefused(RejectReason.BadPath, good with { Root = good.Root with { LeafCount = 4 } });
        AssertRefused(RejectReason.BadSignature, good with { Signature = _cluster.Bundle(1, leaf.Statement).Signature });
        AssertRefused(RejectReason.BadPath, good with { Leaves = [leaf with { LeafIndex = 1 }] });
        AssertRefused(RejectReason.BadPath, good with { Leaves = [leaf with { Path = [] }] });
        AssertRefused(RejectReason.BadPath, good with { Leaves = [leaf with { Statement = leaf.Statement with { Base = new Sequence(3) } }] });
        AssertRefused(RejectReason.BadPath, good with { Leaves = [leaf with { Statement = leaf.Statement with { Batch = _batches[2].Reference } }] });
        // One bad leaf spoils the bundle: its sender is faulty.
        AssertRefused(RejectReason.BadPath, good with { Leaves = [good.Leaves[1], leaf with { LeafIndex = 1 }] });
    }

    [Fact]
    public void C1_a_remembered_root_is_remembered_with_its_signature()
    {
        QuorumCertificate good = _cluster.Certify(_batches[0].Reference).Certificate;
        Assert.True(_cluster.Acks.TryVerify(good, out _, out _));

        CertificateEntry forged = good.Entries[0] with { Signature = good.Entries[1].Signature };
        Assert.False(_cluster.Acks.TryVerify(new QuorumCertificate(good.Batch, good.Epoch, [forged, .. good.Entries.Skip(1)]), out _, out RejectReason reason));
        Assert.Equal(RejectReason.BadSignature, reason);
    }

    [Fact]
    public void C1_the_memory_of_roots_is_bounded_and_forgets_no_more_than_it_must()
    {
        CountingScheme scheme = new();
        AckVerifier verifier = new(_cluster.Committee, scheme, rememberedRootsMax: 2);
        AckBundle[] bundles = [.. Enumerable.Range(0, 3).Select(witness => _cluster.Bundle(witness, new AckStatement(_batches[0].Reference, Sequence.Zero)))];

        Verify(0, expected: 1);
        Verify(0, expected: 1);
        Verify(1, expected: 2);
        Verify(0, expected: 2);
        Verify(2, expected: 3);
        Verify(0, expected: 4);

        void Verify(int index, int expected)
        {
            Assert.True(verifier.TryVerify(bundles[index], out _, out _));
            Assert.Equal(expected, scheme.Count);
        }
    }

    [Fact]
    public void Encodings_are_read_back_and_no_other_bytes_are()
    {
        QuorumCertificate certificate = _cluster.Certify(_batches[4].Reference, 3).Certificate;
        byte[] bytes = certificate.Bytes.ToArray();
        Assert.True(QuorumCertificate.TryParse(bytes, out QuorumCertificate? read));
        Assert.Equal(certificate.Batch, read.Batch);
        Assert.Equal(certificate.Base, read.Base);
        Assert.True(_cluster.Acks.TryVerifyCertificate(bytes, out _, out _));

        for (int i = 0; i < bytes.Length; i++)
        {
            byte[] changed = [.. bytes];
            changed[i] ^= 1;
            Assert.False(_cluster.Acks.TryVerifyCertificate(changed, out _, out _), $"byte {i}");
            Assert.False(QuorumCertificate.TryParse(bytes.AsSpan(0, i), out _));
        }
    }

    [Fact]
    public void Bundles_are_read_back_and_no_other_bytes_are()
    {
        AckBundle bundle = _cluster.Bundle(2, [.. _batches.Select(batch => new AckStatement(batch.Reference, batch.Sequence))]);
        byte[] bytes = bundle.Encode();
        Assert.True(AckBundle.TryParse(_cluster.Committee.Cluster, bytes, out AckBundle? read));
        Assert.Equal(6, _cluster.Verify(read).Length);

        for (int i = 0; i < bytes.Length; i++)
        {
            byte[] changed = [.. bytes];
            changed[i] ^= 1;
            Assert.False(AckBundle.TryParse(_cluster.Committee.Cluster, changed, out AckBundle? other) && _cluster.Acks.TryVerify(other, out _, out _), $"byte {i}");
            Assert.False(AckBundle.TryParse(_cluster.Committee.Cluster, bytes.AsSpan(0, i), out _), $"length {i} of {bytes.Length}");
        }
    }

    private static CertificateEntry EntryOf(AckBundle bundle) => new(
        bundle.Root.Witness, bundle.Leaves[0].Statement.Base, bundle.Leaves[0].LeafIndex, bundle.Leaves[0].Path, bundle.Root.Run, bundle.Root.Mark, bundle.Root.LeafCount, bundle.Signature);

    private CertificateEntry Entry(int witness, VerifiedBatch batch, ulong? from = null) => CertificateEntry.From(_cluster.Ack(witness, batch.Reference, from));

    private QuorumCertificate Certificate(params CertificateEntry[] entries) => Certificate(_batches[5], entries);

    private static QuorumCertificate Certificate(VerifiedBatch batch, params CertificateEntry[] entries) => new(batch.Reference, Epoch.Zero, entries);

    private void AssertRefused(RejectReason expected, AckBundle bundle)
    {
        Assert.False(_cluster.Acks.TryVerify(bundle, out _, out RejectReason reason));
        Assert.Equal(expected, reason);
    }

    private sealed class CountingScheme : ISignatureScheme
    {
        public int Count { get; private set; }

        public bool IsAcceptableKey(in PublicKey key) => Ed25519.Instance.IsAcceptableKey(key);

        public bool Verify(in PublicKey key, ReadOnlySpan<byte> statement, in Signature signature)
        {
            Count++;
            return Ed25519.Instance.Verify(key, statement, signature);
        }
    }
}
