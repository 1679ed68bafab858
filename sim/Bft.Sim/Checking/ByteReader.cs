using System.Buffers.Binary;
using Bft.Crypto;

namespace Bft.Sim;

/// <summary>The checkers' own reader of the layouts in docs/wire.md: after the first field that does not fit it gives zeros.</summary>
internal ref struct ByteReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;
    private bool _isBroken;

    public readonly bool IsBroken => _isBroken;

    /// <summary>Every field fitted, and nothing follows.</summary>
    public readonly bool IsWhole => !_isBroken && _rest.IsEmpty;

    public byte U8() => Take(1) is [var value] ? value : (byte)0;

    public int U16() => Take(2) is { Length: 2 } span ? BinaryPrimitives.ReadUInt16LittleEndian(span) : 0;

    public uint U32() => Take(4) is { Length: 4 } span ? BinaryPrimitives.ReadUInt32LittleEndian(span) : 0;

    public ulong U64() => Take(8) is { Length: 8 } span ? BinaryPrimitives.ReadUInt64LittleEndian(span) : 0;

    public Digest Digest() => Take(32) is { Length: 32 } span ? new Digest(span) : default;

    public Signature Signature() => Take(64) is { Length: 64 } span ? new Signature(span) : default;

    /// <summary>A number of at most 28 bits, seven to a byte, low ones first.</summary>
    public int Packed()
    {
        int value = 0;
        for (int shift = 0; shift < 28; shift += 7)
        {
            byte next = U8();
            value |= (next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        _isBroken = true;
        return 0;
    }

    public Digest[] Path()
    {
        Digest[] path = new Digest[U8()];
        for (int i = 0; i < path.Length; i++)
        {
            path[i] = Digest();
        }

        return path;
    }

    public ReadOnlySpan<byte> Take(long count)
    {
        if (_isBroken || count < 0 || count > _rest.Length)
        {
            _isBroken = true;
            return default;
        }

        ReadOnlySpan<byte> taken = _rest[..(int)count];
        _rest = _rest[(int)count..];
        return taken;
    }

    public ReadOnlySpan<byte> Rest() => Take(_rest.Length);
}
