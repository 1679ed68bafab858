using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Tests.Verification;

public sealed class CertifiedRangeTests : IDisposable
{
    private readonly TestCluster _cluster = new();
    private readonly TestStream _stream;

    public CertifiedRangeTests()
    {
        _stream = _cluster.Stream();
        _stream.AppendMany(5);
    }

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void S1_a_range_is_verified_backwards_from_its_certificate_without_signatures()
    {
        VerifiedCertificate certificate = _cluster.Certify(_stream[4].Reference, from: 1);
        SignedStatement[] unsigned = [.. Signed(1, 4).Select(statement => statement with { Signature = default })];

        Assert.True(CertifiedRange.TryVerify(_cluster.Batches, certificate, unsigned, out CertifiedRange? range, out _));

        Assert.Equal([1UL, 2, 3, 4], range.Statements.Select(statement => statement.Sequence.Value));
        Assert.All(range.Statements, statement => Assert.False(statement.IsSigned));
        Assert.Equal(_stream[2].Digest, range.Find(new Sequence(2))!.Digest);
        Assert.Null(range.Find(Sequence.Zero));
    }

    [Fact]
    public void S1_a_statement_that_the_chain_does_not_name_is_refused()
    {
        VerifiedCertificate certificate = _cluster.Certify(_stream[4].Reference, from: 1);
        VerifiedBatch other = _stream.Batch(2, Ancestor.Previous(_stream[1].Digest), "another");
        SignedStatement[] forged = Signed(1, 4);
        forged[1] = SignedStatement.From(other.Statement);

        Assert.False(CertifiedRange.TryVerify(_cluster.Batches, certificate, forged, out _, out RejectReason reason));

        Assert.Equal(RejectReason.OtherDigest, reason);
    }

    [Fact]
    public void S1_a_range_below_the_certificates_base_is_refused()
    {
        VerifiedCertificate certificate = _cluster.Certify(_stream[4].Reference, from: 2);

        Assert.True(CertifiedRange.TryVerify(_cluster.Batches, certificate, Signed(2, 4), out _, out _));
        Assert.False(CertifiedRange.TryVerify(_cluster.Batches, certificate, Signed(1, 4), out _, out RejectReason reason));

        Assert.Equal(RejectReason.OtherSlot, reason);
    }

    [Theory]
    [InlineData(new[] { 3 })]
    [InlineData(new[] { 2, 4 })]
    [InlineData(new[] { 4, 3 })]
    [InlineData(new[] { 4, 4 })]
    [InlineData(new int[0])]
    public void S1_a_range_has_no_gap_and_ends_at_its_certificate(int[] slots)
    {
        VerifiedCertificate certificate = _cluster.Certify(_stream[4].Reference, from: 0);

        Assert.False(CertifiedRange.TryVerify(_cluster.Batches, certificate, [.. slots.SelectMany(slot => Signed(slot, slot))], out _, out _));
    }

    private SignedStatement[] Signed(int first, int last) =>
        [.. Enumerable.Range(first, last - first + 1).Select(slot => SignedStatement.From(_stream[slot].Statement))];
}
