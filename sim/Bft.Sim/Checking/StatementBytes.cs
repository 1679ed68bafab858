using System.Buffers.Binary;
using Bft.Crypto;
using Bft.Protocol.Model;

namespace Bft.Sim;

/// <summary>The layouts that checkers read and hash, written down a second time from docs/wire.md.</summary>
internal static class StatementBytes
{
    private const int LeafBytes = 16 + 32 + 4 + 32 + 8 + 8 + 32;

    public static SeenStatement? ReadStatement(ReadOnlySpan<byte> bytes)
    {
        ByteReader reader = new(bytes);
        if (!reader.Take(16).SequenceEqual("bft.batch\0\0\0\0\0\0\u0001"u8))
        {
            return null;
        }

        ReadOnlySpan<byte> cluster = reader.Take(32);
        ReadOnlySpan<byte> publisher = reader.Take(32);
        ReadOnlySpan<byte> incarnation = reader.Take(16);
        ulong sequence = reader.U64();
        byte follows = reader.U8();
        Digest ancestor = reader.Digest();
        ReadOnlySpan<byte> linked = reader.Take(16);
        ulong linkedAt = reader.U64();
        Digest root = reader.Digest();
        int chunks = (int)Math.Min(reader.U32(), int.MaxValue);
        reader.U32();
        uint length = reader.U32();
        byte encoding = reader.U8();
        ReadOnlySpan<byte> topic = reader.Take(reader.U16());
        if (!reader.IsWhole || sequence > Sequence.MaxValue || linkedAt > Sequence.MaxValue || !Topic.TryParse(topic, out Topic name))
        {
            return null;
        }

        StreamId stream = StreamOf(cluster, publisher, topic, incarnation);
        return new SeenStatement(new BatchRef(stream, new Sequence(sequence), Sha256.Hash(bytes)), new PublicKey(publisher), name)
        {
            Previous = follows == 1 && sequence > 0 ? new BatchRef(stream, new Sequence(sequence - 1), ancestor) : null,
            Link = follows == 2 ? new Slot(StreamOf(cluster, publisher, topic, linked), new Sequence(linkedAt)) : null,
            Incarnation = NumberOf(incarnation),
            IsPossibleRepeat = encoding >= 0x80,
            BodyRoot = root,
            ChunkCount = chunks,
            BodyLength = length,
        };
    }

    private static UInt128 NumberOf(ReadOnlySpan<byte> incarnation) =>
        incarnation.Length < 16 ? default : new UInt128(BinaryPrimitives.ReadUInt64LittleEndian(incarnation), BinaryPrimitives.ReadUInt64LittleEndian(incarnation[8..]));

    public static SeenBundle? ReadBundle(ReadOnlySpan<byte> bytes, ClusterId cluster, int id)
    {
        ByteReader reader = new(bytes);
        uint epoch = reader.U32();
        int witness = reader.U8();
        ulong run = reader.U64();
        ulong mark = reader.U64();
        int leafCount = (int)Math.Min(reader.U32(), int.MaxValue);
        SeenRoot root = new(witness, epoch, run, mark, leafCount, reader.Digest());
        Signature signature = reader.Signature();
        uint count = reader.U32();
        if (reader.IsBroken || count is 0 or > 4096)
        {
            return null;
        }

        SeenAck[] acks = new SeenAck[count];
        for (int i = 0; i < acks.Length; i++)
        {
            BatchRef batch = ReadBatch(ref reader);
            ulong from = reader.U64();
            int index = (int)Math.Min(reader.U32(), int.MaxValue);
            bool climbs = OwnTree.TryClimb(LeafHash(cluster, epoch, batch, from), index, leafCount, reader.Path(), out Digest climbed);
            acks[i] = new SeenAck(batch, from, root, climbs && climbed == root.Root, signature);
        }

        return reader.IsWhole ? new SeenBundle(id, root, acks) : null;
    }

    public static SeenCertificate? ReadCertificate(ReadOnlySpan<byte> bytes, ClusterId cluster, int id)
    {
        ByteReader reader = new(bytes);
        byte version = reader.U8();
        BatchRef batch = ReadBatch(ref reader);
        uint epoch = reader.U32();
        SeenAck[] acks = new SeenAck[reader.U8()];
        for (int i = 0; i < acks.Length; i++)
        {
            int witness = reader.U8();
            ulong from = reader.U64();
            int index = (int)Math.Min(reader.U32(), int.MaxValue);
            int leafCount = (int)Math.Min(reader.U32(), int.MaxValue);
            ulong run = reader.U64();
            ulong mark = reader.U64();
            Signature signature = reader.Signature();
            bool climbs = OwnTree.TryClimb(LeafHash(cluster, epoch, batch, from), index, leafCount, reader.Path(), out Digest root);
            acks[i] = new SeenAck(batch, from, new SeenRoot(witness, epoch, run, mark, leafCount, root), climbs, signature);
        }

        return reader.IsWhole && version == 1 ? new SeenCertificate(id, batch, epoch, acks) : null;
    }

    /// <summary>What a witness signs: 105 bytes.</summary>
    public static void WriteRoot(Span<byte> bytes, ClusterId cluster, in SeenRoot root)
    {
        "bft.ackroot\0\0\0\0\u0001"u8.CopyTo(bytes);
        cluster.Digest.CopyTo(bytes[16..]);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[48..], root.Epoch);
        bytes[52] = (byte)root.Witness;
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[53..], root.Run);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[61..], root.Mark);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[69..], (uint)root.LeafCount);
        root.Root.CopyTo(bytes[73..]);
    }

    private static BatchRef ReadBatch(ref ByteReader reader)
    {
        StreamId stream = new(reader.Digest());
        ulong sequence = Math.Min(reader.U64(), Sequence.MaxValue);
        return new BatchRef(stream, new Sequence(sequence), reader.Digest());
    }

    private static Digest LeafHash(ClusterId cluster, uint epoch, in BatchRef batch, ulong from)
    {
        Span<byte> leaf = stackalloc byte[LeafBytes];
        "bft.ack\0\0\0\0\0\0\0\0\u0001"u8.CopyTo(leaf);
        cluster.Digest.CopyTo(leaf[16..]);
        BinaryPrimitives.WriteUInt32LittleEndian(leaf[48..], epoch);
        batch.Stream.Digest.CopyTo(leaf[52..]);
        BinaryPrimitives.WriteUInt64LittleEndian(leaf[84..], from);
        BinaryPrimitives.WriteUInt64LittleEndian(leaf[92..], batch.Sequence.Value);
        batch.Digest.CopyTo(leaf[100..]);
        return OwnTree.Leaf(leaf);
    }

    private static StreamId StreamOf(ReadOnlySpan<byte> cluster, ReadOnlySpan<byte> publisher, ReadOnlySpan<byte> topic, ReadOnlySpan<byte> incarnation)
    {
        byte[] bytes = [.. "bft.stream\0\0\0\0\0\u0001"u8, .. cluster, .. publisher, (byte)topic.Length, 0, .. topic, .. incarnation];
        return new StreamId(Sha256.Hash(bytes));
    }
}
