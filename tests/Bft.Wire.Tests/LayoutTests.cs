using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Bodies;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Wire.Tests;

/// <summary>The layouts of docs/wire.md, written down a second time from the page: whoever follows it gets the bytes that we sign, hash and parse.</summary>
public class LayoutTests
{
    private static readonly Ed25519Signer Signer = new(Sample.Bytes(Ed25519Signer.SeedLength, 7));
    private static readonly byte[] Key = Of(Signer.PublicKey.CopyTo, 32);
    private static readonly ClusterId Cluster = new(new Digest(Sample.Bytes(32, 1)));
    private static readonly byte[] ClusterBytes = Sample.Bytes(32, 1);
    private static readonly byte[] StreamBytes = Sample.Bytes(32, 2);
    private static readonly byte[] BatchBytes = Sample.Bytes(32, 3);
    private static readonly BatchRef Batch = new(new StreamId(new Digest(StreamBytes)), new Sequence(9), new Digest(BatchBytes));
    private static readonly byte[] BatchReference = [.. StreamBytes, .. U64(9), .. BatchBytes];
    private static readonly Digest[] Path = [new(Sample.Bytes(32, 4)), new(Sample.Bytes(32, 5))];
    private static readonly byte[] PathBytes = [2, .. Sample.Bytes(32, 4), .. Sample.Bytes(32, 5)];
    private static readonly Signature Signature = new(Sample.Bytes(64, 6));
    private static readonly AckRootStatement Root = new(Cluster, Epoch.Zero, new WitnessIndex(3), new Run(11), new Mark(12), 4, new Digest(BatchBytes));

    [Fact]
    public void Genesis()
    {
        byte[][] keys = [.. Enumerable.Range(0, 4).Select(index => Sample.Bytes(32, index))];
        byte[] nonce = Sample.Bytes(32, 100);
        byte[] bytes =
        [
            .. Tag("bft.genesis"), .. U16(4), .. "name"u8, .. nonce, 4, .. keys.SelectMany(key => key), .. U32(4 << 20), .. U32(2 << 20), .. U32(65536), .. U32(262144), .. U32(256), .. U64(32 << 20),
        ];

        Assert.Equal(Sha256.Hash(bytes), new Genesis("name", nonce, keys.Select(key => new PublicKey(key)), ClusterLimits.Default).Cluster.Digest);
    }

    [Fact]
    public void Stream()
    {
        byte[] bytes = [.. Tag("bft.stream"), .. ClusterBytes, .. Key, .. U16(2), .. "ä"u8, .. U64(5), .. U64(6)];

        Assert.Equal(Sha256.Hash(bytes), new StreamHeader(Cluster, Signer.PublicKey, new Topic("ä"), new Incarnation(5, 6)).Id.Digest);
    }

    [Theory]
    [InlineData(AncestorKind.None)]
    [InlineData(AncestorKind.Previous)]
    [InlineData(AncestorKind.Link)]
    public void Batch_statement(AncestorKind kind)
    {
        ulong sequence = kind == AncestorKind.Previous ? 8UL : 0UL;
        (Ancestor ancestor, byte[] ancestorBytes) = kind switch
        {
            AncestorKind.Previous => (Ancestor.Previous(new Digest(BatchBytes)), [1, .. BatchBytes, .. new byte[24]]),
            AncestorKind.Link => (Ancestor.Link(new Incarnation(4, 9), new Sequence(77), new Digest(BatchBytes)), [2, .. BatchBytes, .. U64(4), .. U64(9), .. U64(77)]),
            _ => (Ancestor.None, new byte[57]),
        };
        BodyDescription body = new(new Digest(StreamBytes), 2, 3, 444, BodyEncoding.Identity);
        byte[] bytes =
        [
            .. Tag("bft.batch"), .. ClusterBytes, .. Key, .. U64(5), .. U64(6), .. U64(sequence), .. ancestorBytes, .. StreamBytes, .. U32(2), .. U32(3), .. U32(444), 0, .. U16(2), .. "ä"u8,
        ];
        BatchStatement statement = BatchStatement.Create(new StreamHeader(Cluster, Signer.PublicKey, new Topic("ä"), new Incarnation(5, 6)), new Sequence(sequence), ancestor, body);

        Assert.Equal(bytes, statement.Bytes.ToArray());
        Assert.Equal(Sha256.Hash(bytes), statement.Digest);
    }

    [Fact]
    public void Ack_leaf()
    {
        byte[] bytes = [.. Tag("bft.ack"), .. ClusterBytes, .. U32(0), .. StreamBytes, .. U64(7), .. U64(9), .. BatchBytes];

        Assert.Equal(132, bytes.Length);
        Assert.Equal(Sha256.Hash([0, .. bytes]), new AckStatement(Batch, new Sequence(7)).LeafHash(Cluster, Epoch.Zero));
    }

    [Fact]
    public void Ack_root()
    {
        byte[] bytes = [.. Tag("bft.ackroot"), .. ClusterBytes, .. U32(0), 3, .. U64(11), .. U64(12), .. U32(4), .. BatchBytes];

        Assert.Equal(105, bytes.Length);
        Assert.Equal(Signer.Sign(bytes), Root.Sign(Signer));
    }

    [Fact]
    public void Hello()
    {
        byte[] bytes = [.. Tag("bft.hello"), .. ClusterBytes, .. Key, 3, .. StreamBytes, .. BatchBytes];

        Assert.Equal(145, bytes.Length);
        Assert.Equal(Signer.Sign(bytes), new HelloStatement(Cluster, Signer.PublicKey, new WitnessIndex(3), new Digest(StreamBytes), new Digest(BatchBytes)).Sign(Signer));
    }

    [Fact]
    public void Ack_bundle()
    {
        byte[] bytes = [.. U32(0), 3, .. U64(11), .. U64(12), .. U32(4), .. BatchBytes, .. Sample.Bytes(64, 6), .. U32(1), .. BatchReference, .. U64(7), .. U32(2), .. PathBytes];

        Assert.Equal(bytes, Bundle().Encode());
        Assert.True(AckBundle.TryParse(Cluster, bytes, out _));
    }

    [Fact]
    public void Certificate()
    {
        byte[] entry = [.. U64(7), .. U32(2), .. U32(4), .. U64(11), .. U64(12), .. Sample.Bytes(64, 6), .. PathBytes];
        byte[] bytes = [1, .. BatchReference, .. U32(0), 2, 1, .. entry, 3, .. entry];
        CertificateEntry[] entries = [.. new[] { 1, 3 }.Select(index => new CertificateEntry(new WitnessIndex(index), new Sequence(7), 2, Path, new Run(11), new Mark(12), 4, Signature))];

        Assert.Equal(bytes, new QuorumCertificate(Batch, Epoch.Zero, entries).Bytes.ToArray());
        Assert.True(QuorumCertificate.TryParse(bytes, out _));
    }

    [Fact]
    public void Evidence_of_both_kinds()
    {
        SignedStatement statement = new(Sample.Bytes(220, 8), Signature);
        byte[] signed = [.. U16(220), .. Sample.Bytes(220, 8), .. Sample.Bytes(64, 6)];
        byte[] ack = Bundle().Encode();
        byte[] side = [.. U32((uint)ack.Length), .. ack, .. U16(1), .. U16(220), .. Sample.Bytes(220, 8)];
        AckWithChain chain = new(Bundle(), [statement.Bytes]);

        Assert.Equal([1, .. signed, .. signed], new PublisherEquivocation(statement, statement).Encode());
        Assert.Equal([2, .. side, .. side], new WitnessEquivocation(chain, chain).Encode());
    }

    [Fact]
    public void Body_of_two_chunks()
    {
        byte[] first = [10, 1, 1, (byte)'k', 2, (byte)'c', (byte)'t', 0, 1, 2, 3];
        byte[] second = [12, 1, 0, 0, 1, 1, (byte)'n', 2, 8, 9, 4, 5, 6];
        byte[] third = [5, 1, 0, 0, 0, 7];
        byte[] table =
        [
            .. U32(61), .. U32(2),
            .. U32(17), .. U32(2), .. U32(2), .. U32(0), .. U32(1), .. U32(2), .. U32(1), .. U16(1), (byte)'s',
            .. U32(13), .. U32(1), .. U32(1), .. U32(1), .. U32(1), .. U16(0),
        ];
        byte[] body = [.. table, .. first, .. third, .. second];
        BodyBuilder builder = new(ClusterLimits.Default);
        Assert.True(builder.TryAdd(new Message(new byte[] { 1, 2, 3 }) { Subject = "s", ContentType = "ct", Key = "k"u8.ToArray() }));
        Assert.True(builder.TryAdd(new Message(new byte[] { 4, 5, 6 }) { Headers = [new MessageHeader("n", new byte[] { 8, 9 })] }));
        Assert.True(builder.TryAdd(new Message(new byte[] { 7 }) { Subject = "s" }));
        byte[] built = new byte[builder.BodyLength];
        BodyDescription description = builder.Build(built);

        Assert.Equal(61, table.Length);
        Assert.Equal(body, built);
        Digest[] leaves = [Sha256.Hash([0, .. table]), Sha256.Hash([0, .. first, .. third]), Sha256.Hash([0, .. second])];
        Assert.Equal(Node(Node(leaves[0], leaves[1]), leaves[2]), description.Root);
    }

    private static AckBundle Bundle() => new(Root, Signature, [new AckLeaf(new AckStatement(Batch, new Sequence(7)), 2, Path)]);

    private static Digest Node(Digest left, Digest right) => Sha256.Hash([1, .. Of(left.CopyTo, 32), .. Of(right.CopyTo, 32)]);

    private static byte[] Tag(string name) => [.. System.Text.Encoding.ASCII.GetBytes(name.PadRight(15, '\0')), 1];

    private static byte[] U16(ushort value) => [(byte)(value & 0xff), (byte)(value >> 8)];

    private static byte[] U32(uint value) => [.. U16((ushort)(value & 0xffff)), .. U16((ushort)(value >> 16))];

    private static byte[] U64(ulong value) => [.. U32((uint)(value & 0xffff_ffff)), .. U32((uint)(value >> 32))];

    private static byte[] Of(Action<Span<byte>> copyTo, int length)
    {
        byte[] bytes = new byte[length];
        copyTo(bytes);
        return bytes;
    }
}
