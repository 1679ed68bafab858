using System.Buffers.Binary;
using Bft.Crypto;
using Bft.Protocol.Model;

namespace Bft.Protocol.Verification;

/// <summary>Writes the fixed-width little-endian layouts of statements and of what is made of them.</summary>
/// <remarks>The caller sizes the buffer; running over it is a bug and throws.</remarks>
internal ref struct StatementWriter(Span<byte> buffer)
{
    private readonly Span<byte> _buffer = buffer;
    private int _length;

    public readonly ReadOnlySpan<byte> Written => _buffer[.._length];

    public void Tag(ReadOnlySpan<byte> tag) => Bytes(tag);

    public void U8(int value) => _buffer[_length++] = (byte)value;

    public void U16(int value) => BinaryPrimitives.WriteUInt16LittleEndian(Take(2), (ushort)value);

    public void U32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(4), value);

    public void U64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Take(8), value);

    public void Digest(Digest value) => value.CopyTo(Take(Crypto.Digest.Length));

    public void PublicKey(PublicKey value) => value.CopyTo(Take(Crypto.PublicKey.Length));

    public void Signature(Signature value) => value.CopyTo(Take(Crypto.Signature.Length));

    public void Bytes(ReadOnlySpan<byte> value) => value.CopyTo(Take(value.Length));

    public void Topic(Topic value)
    {
        int length = value.CopyTo(_buffer[(_length + 2)..]);
        U16(length);
        _length += length;
    }

    public void Incarnation(Incarnation value)
    {
        U64(value.Counter);
        U64(value.Random);
    }

    public void BatchRef(BatchRef value)
    {
        Digest(value.Stream.Digest);
        U64(value.Sequence.Value);
        Digest(value.Digest);
    }

    public void Path(ReadOnlySpan<Digest> path)
    {
        U8(path.Length);
        foreach (Digest digest in path)
        {
            Digest(digest);
        }
    }

    private Span<byte> Take(int count)
    {
        Span<byte> span = _buffer.Slice(_length, count);
        _length += count;
        return span;
    }
}
