using System.Buffers.Binary;
using Bft.Crypto;
using Bft.Protocol.Model;

namespace Bft.Protocol.Verification;

/// <summary>Reads what <see cref="StatementWriter"/> writes, from bytes of a peer: never throws.</summary>
/// <remarks>After the first field that does not fit or is illegal every read gives zeros and <see cref="IsComplete"/> stays false.</remarks>
internal ref struct StatementReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _position;
    private bool _failed;

    /// <summary>All bytes were read and each field was legal.</summary>
    public readonly bool IsComplete => !_failed && _position == _bytes.Length;

    public readonly bool IsFailed => _failed;

    public readonly int Position => _position;

    public void Tag(ReadOnlySpan<byte> tag) => _failed |= !Take(StatementTag.Length).SequenceEqual(tag);

    public byte U8() => Take(1) is { Length: 1 } span ? span[0] : (byte)0;

    public int U16() => Take(2) is { Length: 2 } span ? BinaryPrimitives.ReadUInt16LittleEndian(span) : 0;

    public uint U32() => Take(4) is { Length: 4 } span ? BinaryPrimitives.ReadUInt32LittleEndian(span) : 0;

    public ulong U64() => Take(8) is { Length: 8 } span ? BinaryPrimitives.ReadUInt64LittleEndian(span) : 0;

    /// <summary>A count or length that must not exceed <paramref name="max"/>.</summary>
    public int Count(int max)
    {
        uint value = U32();
        _failed |= value > (uint)max;
        return _failed ? 0 : (int)value;
    }

    /// <summary>The same in two bytes.</summary>
    public int Count16(int max)
    {
        int value = U16();
        _failed |= value > max;
        return _failed ? 0 : value;
    }

    public Digest Digest() => Take(Crypto.Digest.Length) is { Length: Crypto.Digest.Length } span ? new Digest(span) : default;

    public PublicKey PublicKey() => Take(Crypto.PublicKey.Length) is { Length: Crypto.PublicKey.Length } span ? new PublicKey(span) : default;

    public Signature Signature() => Take(Crypto.Signature.Length) is { Length: Crypto.Signature.Length } span ? new Signature(span) : default;

    public Sequence Sequence()
    {
        // Read first: in `_failed |= …` the old value is taken before the read can set it.
        ulong value = U64();
        _failed |= !Model.Sequence.TryCreate(value, out Sequence sequence);
        return sequence;
    }

    public Incarnation Incarnation() => new(U64(), U64());

    public Topic Topic()
    {
        ReadOnlySpan<byte> name = Take(U16());
        _failed |= !Model.Topic.TryParse(name, out Topic topic);
        return topic;
    }

    public BatchRef BatchRef() => new(new StreamId(Digest()), Sequence(), Digest());

    public Digest[] Path(int lengthMax = FormatLimits.AckPathMax)
    {
        int length = U8();
        _failed |= length > lengthMax || _bytes.Length - _position < length * Crypto.Digest.Length;
        if (_failed)
        {
            return [];
        }

        Digest[] path = new Digest[length];
        for (int i = 0; i < length; i++)
        {
            path[i] = Digest();
        }

        return path;
    }

    /// <summary>A batch statement behind its length. One that cannot be any costs nothing: a chain of thousands of empty ones would be larger in memory than on the wire.</summary>
    public ReadOnlySpan<byte> Statement()
    {
        int length = U16();
        _failed |= length is <= BatchStatement.FixedLength or > FormatLimits.BatchStatementBytesMax;
        return Take(length);
    }

    public ReadOnlySpan<byte> Bytes(int length) => Take(length);

    public void Require(bool condition) => _failed |= !condition;

    private ReadOnlySpan<byte> Take(int count)
    {
        if (_failed || count < 0 || count > _bytes.Length - _position)
        {
            _failed = true;
            return default;
        }

        ReadOnlySpan<byte> span = _bytes.Slice(_position, count);
        _position += count;
        return span;
    }
}
