using System.Buffers.Binary;
using System.Text;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Tests.Verification;

/// <summary>The layouts of what is signed, frozen. A change here is a new version of the protocol: nothing signed before would verify any more.</summary>
public sealed class StatementTests : IDisposable
{
    private static readonly Digest A = DigestOf(0xa0);
    private static readonly Digest B = DigestOf(0xb0);

    private readonly TestCluster _cluster = new();

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void Batch_statement_vector()
    {
        PublicKey publisher = new(Enumerable.Range(0x40, 32).Select(value => (byte)value).ToArray());
        StreamHeader header = new(new ClusterId(A), publisher, new Topic("orders/€"), new Incarnation(0x0102030405060708, 0x1112131415161718));
        BatchStatement statement = BatchStatement.Create(header, new Sequence(0x21), Ancestor.Previous(B), new BodyDescription(DigestOf(0xc0), 3, 5, 0x1234, BodyEncoding.Identity));

        string[] fields =
        [
            Hex("bft.batch\0\0\0\0\0\0\u0001"),
            A.ToString(),
            publisher.ToString(),
            "0807060504030201" + "1817161514131211",
            "2100000000000000",
            "01" + B + new string('0', 32) + "0000000000000000",
            DigestOf(0xc0).ToString(),
            "03000000" + "05000000" + "34120000" + "00",
            "0a00" + Hex("orders/€"),
        ];
        Assert.Equal(string.Concat(fields), Convert.ToHexStringLower(statement.Bytes.Span), ignoreCase: true);
        Assert.Equal(Sha256.Hash(statement.Bytes.Span), statement.Digest);
        Assert.Equal(BatchStatement.FixedLength + header.Topic.Length, statement.Bytes.Length);
        Assert.Equal("2940f86671f35dcb383c5f2e13089ad566aaf37aa849b976272f72f27f5d852d", statement.Digest.ToString());
    }

    [Fact]
    public void Link_vector()
    {
        StreamHeader header = new(new ClusterId(A), default, new Topic("t"), new Incarnation(9, 9));
        BatchStatement statement = BatchStatement.Create(header, Sequence.Zero, Ancestor.Link(new Incarnation(1, 2), new Sequence(3), B), new BodyDescription(B, 2, 1, 9, BodyEncoding.Identity));

        const int AncestorOffset = 16 + 32 + 32 + 16 + 8;
        Assert.Equal(
            "02" + B + "0100000000000000" + "0200000000000000" + "0300000000000000",
            Convert.ToHexStringLower(statement.Bytes.Span.Slice(AncestorOffset, 57)));
    }

    [Fact]
    public void Stream_id_vector()
    {
        PublicKey publisher = new(Enumerable.Repeat((byte)0x50, 32).ToArray());
        StreamHeader header = new(new ClusterId(A), publisher, new Topic("t"), new Incarnation(1, 2));

        byte[] bytes = Convert.FromHexString(Hex("bft.stream\0\0\0\0\0\u0001") + A + publisher + "0100" + Hex("t") + "0100000000000000" + "0200000000000000");
        Assert.Equal(Sha256.Hash(bytes), header.Id.Digest);
    }

    [Fact]
    public void Ack_leaf_vector()
    {
        AckStatement ack = new(new BatchRef(new StreamId(B), new Sequence(0x22), DigestOf(0xc0)), new Sequence(0x21));

        byte[] bytes = Convert.FromHexString(Hex("bft.ack\0\0\0\0\0\0\0\0\u0001") + A + "04000000" + B + "2100000000000000" + "2200000000000000" + DigestOf(0xc0));
        Assert.Equal(Merkle.LeafHash(bytes), ack.LeafHash(new ClusterId(A), new Epoch(4)));
    }

    [Fact]
    public void Ack_root_vector()
    {
        AckRootStatement root = new(new ClusterId(A), new Epoch(4), new WitnessIndex(3), new Run(0x0102), new Mark(0x0304), 7, B);

        byte[] bytes = Convert.FromHexString(
            Hex("bft.ackroot\0\0\0\0\u0001") + A + "04000000" + "03" + "0201000000000000" + "0403000000000000" + "07000000" + B);
        using Ed25519Signer signer = TestCluster.SignerOf('w', 3);
        Assert.Equal(AckRootStatement.Length, bytes.Length);
        Assert.Equal(signer.Sign(bytes), root.Sign(signer));
    }

    [Fact]
    public void Hello_vector()
    {
        using Ed25519Signer signer = TestCluster.SignerOf('p', 0);
        HelloStatement hello = new(new ClusterId(A), signer.PublicKey, new WitnessIndex(2), B, DigestOf(0xc0));

        byte[] bytes = Convert.FromHexString(Hex("bft.hello\0\0\0\0\0\0\u0001") + A + signer.PublicKey + "02" + B + DigestOf(0xc0));
        Signature signature = signer.Sign(bytes);
        Assert.Equal(HelloStatement.Length, bytes.Length);
        Assert.Equal(signature, hello.Sign(signer));
        Assert.True(hello.IsSigned(signature, Ed25519.Instance));
        foreach (HelloStatement other in new[]
        {
            hello with { Cluster = new ClusterId(B) },
            hello with { Witness = new WitnessIndex(1) },
            hello with { Pin = A },
            hello with { Nonce = A },
            hello with { Client = TestCluster.SignerOf('p', 1).PublicKey },
        })
        {
            Assert.False(other.IsSigned(signature, Ed25519.Instance));
        }
    }

    [Fact]
    public void Genesis_vector()
    {
        PublicKey[] keys = [.. Enumerable.Range(1, 4).Select(value => new PublicKey(Enumerable.Repeat((byte)value, 32).ToArray()))];
        byte[] nonce = [.. Enumerable.Repeat((byte)7, 32)];
        ClusterLimits limits = ClusterLimits.Default;
        Genesis genesis = new("demo", nonce, keys, limits);

        byte[] numbers = new byte[28];
        BinaryPrimitives.WriteInt32LittleEndian(numbers, limits.BatchBytesMax);
        BinaryPrimitives.WriteInt32LittleEndian(numbers.AsSpan(4), limits.MessageBytesMax);
        BinaryPrimitives.WriteInt32LittleEndian(numbers.AsSpan(8), limits.MessageCountMax);
        BinaryPrimitives.WriteInt32LittleEndian(numbers.AsSpan(12), limits.TableBytesMax);
        BinaryPrimitives.WriteInt32LittleEndian(numbers.AsSpan(16), limits.WindowSlots);
        BinaryPrimitives.WriteInt64LittleEndian(numbers.AsSpan(20), limits.WindowBytes);
        byte[] bytes = Convert.FromHexString(
            Hex("bft.genesis\0\0\0\0\u0001") + "0400" + Hex("demo") + Convert.ToHexString(nonce) + "04" + string.Concat(keys) + Convert.ToHexString(numbers));
        Assert.Equal(Sha256.Hash(bytes), genesis.Cluster.Digest);
        Assert.NotEqual(genesis.Cluster, new Genesis("demo", nonce, keys.Reverse(), limits).Cluster);
        Assert.Throws<ArgumentException>(() => new Genesis("demo", nonce, [keys[0], keys[1], keys[2], keys[0]], limits));
        Assert.Throws<ArgumentException>(() => new Genesis("demo", nonce, keys[..3], limits));
        Assert.Throws<ArgumentException>(() => new Genesis("demo", nonce, keys, limits with { WindowSlots = 0 }));
        Assert.Throws<ArgumentException>(() => new Genesis("demo", nonce.AsSpan(1), keys, limits));
        Assert.Throws<ArgumentException>(() => new Genesis("\n", nonce, keys, limits));
    }

    [Fact]
    public void Every_bit_of_a_batch_statement_counts()
    {
        VerifiedBatch batch = _cluster.Stream().AppendMany(2)[1];
        byte[] bytes = batch.Statement.Statement.Bytes.ToArray();

        Assert.True(_cluster.Batches.TryVerifyStatement(bytes, batch.Statement.Signature, out _, out _));
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            byte[] flipped = [.. bytes];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(_cluster.Batches.TryVerifyStatement(flipped, batch.Statement.Signature, out _, out _));
            Assert.False(_cluster.Batches.TryVerifyCovered(flipped, batch.Statement.Signature, batch.Digest, out _, out RejectReason reason));
            Assert.Equal(RejectReason.OtherDigest, reason);
        }
    }

    [Fact]
    public void Truncated_and_extended_statements_are_malformed()
    {
        VerifiedBatch batch = _cluster.Stream().Append();
        byte[] bytes = batch.Statement.Statement.Bytes.ToArray();

        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.False(BatchStatement.TryParse(_cluster.Committee.Cluster, bytes.AsSpan(0, length), out _, out RejectReason reason));
            Assert.Equal(RejectReason.Malformed, reason);
        }

        Assert.False(BatchStatement.TryParse(_cluster.Committee.Cluster, [.. bytes, 0], out _, out _));
    }

    [Fact]
    public void P1_an_ancestor_that_does_not_fit_the_sequence_is_malformed()
    {
        StreamHeader header = _cluster.Stream(incarnation: 5).Header;
        BodyDescription body = new(B, 2, 1, 10, BodyEncoding.Identity);

        Assert.Throws<ArgumentException>(() => BatchStatement.Create(header, Sequence.Zero, Ancestor.Previous(B), body));
        Assert.Throws<ArgumentException>(() => BatchStatement.Create(header, new Sequence(1), Ancestor.None, body));
        Assert.Throws<ArgumentException>(() => BatchStatement.Create(header, new Sequence(1), Ancestor.Link(default, Sequence.Zero, B), body));
        Assert.Throws<ArgumentException>(() => BatchStatement.Create(header, Sequence.Zero, Ancestor.Link(header.Incarnation, Sequence.Zero, B), body));
        Assert.Throws<ArgumentException>(() => BatchStatement.Create(header, Sequence.Zero, Ancestor.None with { Digest = B }, body));
    }

    [Fact]
    public void A_statement_of_another_cluster_or_above_a_limit_is_refused()
    {
        using TestCluster other = new(name: "other");
        TestStream stream = _cluster.Stream();
        VerifiedBatch batch = stream.Append();

        Assert.False(other.Batches.TryVerifyStatement(batch.Statement.Statement.Bytes.Span, batch.Statement.Signature, out _, out RejectReason reason));
        Assert.Equal(RejectReason.OtherCluster, reason);

        BodyDescription body = batch.Statement.Statement.Body;
        foreach (BodyDescription over in new[]
        {
            body with { Length = ClusterLimits.Default.BatchBytesMax + 1 },
            body with { MessageCount = ClusterLimits.Default.MessageCountMax + 1 },
            body with { ChunkCount = body.MessageCount + 2 },
        })
        {
            BatchStatement statement = BatchStatement.Create(stream.Header, Sequence.Zero, Ancestor.None, over);
            Assert.False(_cluster.Batches.TryVerifyStatement(statement.Bytes.Span, stream.Signer.Sign(statement.Bytes.Span), out _, out reason));
            Assert.Equal(RejectReason.OverLimit, reason);
        }
    }

    private static Digest DigestOf(byte first) => new(Enumerable.Range(first, 32).Select(value => unchecked((byte)value)).ToArray());

    private static string Hex(string text) => Convert.ToHexStringLower(Encoding.UTF8.GetBytes(text));
}
