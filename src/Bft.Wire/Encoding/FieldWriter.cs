using System.Buffers;
using System.Buffers.Binary;
using System.Text.Unicode;
using Bft.Crypto;
using Bft.Protocol.Model;

namespace Bft.Wire.Encoding;

/// <summary>Something that has protobuf fields.</summary>
internal interface IContent
{
    /// <summary>Writes the fields in ascending order of their numbers. Called twice: once to measure, once to write.</summary>
    void Write(ref FieldWriter writer);
}

/// <summary>Writes protobuf fields, or only measures them. Leaves out what has its default value, as proto3 says.</summary>
/// <param name="output">Where to; null to measure.</param>
internal ref struct FieldWriter(IBufferWriter<byte>? output)
{
    private const int VarIntMax = 10;

    private readonly IBufferWriter<byte>? _output = output;

    /// <summary>Bytes written or measured.</summary>
    public int Length { get; private set; }

    public static int LengthOf<T>(T content)
        where T : IContent
    {
        FieldWriter measure = new(null);
        content.Write(ref measure);
        return measure.Length;
    }

    public void Number(int field, ulong value)
    {
        if (value != 0)
        {
            PresentNumber(field, value);
        }
    }

    public void Number(int field, int value) => Number(field, (ulong)value);

    public void Flag(int field, bool value) => Number(field, value ? 1UL : 0UL);

    /// <summary>For fields with presence (<c>optional</c>): a zero is written too.</summary>
    public void PresentNumber(int field, ulong value)
    {
        VarInt((ulong)field << 3);
        VarInt(value);
    }

    public void Bytes(int field, scoped ReadOnlySpan<byte> value)
    {
        if (!value.IsEmpty)
        {
            Element(field, value);
        }
    }

    public void Digest(int field, Digest value)
    {
        Span<byte> bytes = stackalloc byte[Crypto.Digest.Length];
        value.CopyTo(bytes);
        Element(field, bytes);
    }

    public void Key(int field, PublicKey value)
    {
        Span<byte> bytes = stackalloc byte[PublicKey.Length];
        value.CopyTo(bytes);
        Element(field, bytes);
    }

    public void Signature(int field, Signature value)
    {
        Span<byte> bytes = stackalloc byte[Crypto.Signature.Length];
        value.CopyTo(bytes);
        Element(field, bytes);
    }

    /// <summary>As in statements: counter, then random bits, little-endian.</summary>
    public void Incarnation(int field, Incarnation value)
    {
        Span<byte> bytes = stackalloc byte[Protocol.Model.Incarnation.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value.Counter);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], value.Random);
        Element(field, bytes);
    }

    /// <summary>Text for people, cut at a character's end where it is too long; what is no UTF-16 becomes U+FFFD.</summary>
    public void Text(int field, string value)
    {
        Span<byte> bytes = stackalloc byte[FrameLimits.TextBytesMax];
        _ = Utf8.FromUtf16(value, bytes, out _, out int length, replaceInvalidSequences: true, isFinalBlock: true);
        Bytes(field, bytes[..length]);
    }

    /// <summary>An element of a repeated field: written though it be empty.</summary>
    public void Element(int field, scoped ReadOnlySpan<byte> value)
    {
        Prefix(field, value.Length);
        Length += value.Length;
        _output?.Write(value);
    }

    public void Message<T>(int field, T content)
        where T : IContent
    {
        int length = LengthOf(content);
        Prefix(field, length);
        if (_output is null)
        {
            Length += length;
            return;
        }

        content.Write(ref this);
    }

    private void Prefix(int field, int length)
    {
        VarInt(((ulong)field << 3) | 2);
        VarInt((ulong)length);
    }

    private void VarInt(ulong value)
    {
        Span<byte> bytes = stackalloc byte[VarIntMax];
        int length = 0;
        while (value >= 0x80)
        {
            bytes[length++] = (byte)(value & 0x7f | 0x80);
            value >>= 7;
        }

        bytes[length++] = (byte)value;
        Length += length;
        _output?.Write(bytes[..length]);
    }
}
