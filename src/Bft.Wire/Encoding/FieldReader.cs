using System.Buffers;

namespace Bft.Wire.Encoding;

/// <summary>Reads protobuf fields from bytes of a peer: never throws, allocates nothing.</summary>
/// <remarks>
/// Unknown fields, and known ones of another wire type, are skipped; of a field that stands twice the last one counts (what protobuf says). Groups,
/// field number 0, numbers of more than 64 bits and whatever reaches past the end fail: after that <see cref="IsWhole"/> is false.
/// </remarks>
internal ref struct FieldReader(in ReadOnlySequence<byte> bytes)
{
    private const int FieldMax = (1 << 29) - 1;

    private SequenceReader<byte> _reader = new(bytes);
    private int _field;
    private int _type;
    private ulong _number;
    private ReadOnlySequence<byte> _bytes;
    private bool _failed;

    /// <summary>All bytes were read, and each field was well-formed and legal.</summary>
    public readonly bool IsWhole => !_failed && _reader.End;

    public bool Next()
    {
        if (_failed || _reader.End)
        {
            return false;
        }

        _failed = !TryField();
        return !_failed;
    }

    /// <summary>The field is length-delimited: its number and bytes.</summary>
    public readonly bool IsBytes(out int field, out ReadOnlySequence<byte> value)
    {
        field = _field;
        value = _bytes;
        return _type == 2;
    }

    /// <summary>Takes the value if this is that field.</summary>
    public readonly bool Bytes(int field, ref ReadOnlySequence<byte> value)
    {
        bool taken = _field == field && _type == 2;
        value = taken ? _bytes : value;
        return taken;
    }

    /// <inheritdoc cref="Bytes"/>
    public readonly bool Number(int field, ref ulong value)
    {
        bool taken = _field == field && _type == 0;
        value = taken ? _number : value;
        return taken;
    }

    /// <inheritdoc cref="Bytes"/>
    public readonly bool Number(int field, ref ulong? value)
    {
        bool taken = _field == field && _type == 0;
        value = taken ? _number : value;
        return taken;
    }

    /// <summary>Takes the value if this is that field; one above 2³¹ − 1 is none.</summary>
    public bool Number(int field, ref int value)
    {
        ulong number = 0;
        bool taken = Number(field, ref number);
        _failed |= taken && number > int.MaxValue;
        value = taken && !_failed ? (int)number : value;
        return taken;
    }

    /// <inheritdoc cref="Bytes"/>
    public readonly bool Flag(int field, ref bool value)
    {
        bool taken = _field == field && _type == 0;
        value = taken ? _number != 0 : value;
        return taken;
    }

    private bool TryField()
    {
        if (!TryVarInt(out ulong tag) || tag >> 3 is 0 or > FieldMax)
        {
            return false;
        }

        _field = (int)(tag >> 3);
        _type = (int)(tag & 7);
        return _type switch
        {
            0 => TryVarInt(out _number),
            1 => TrySkip(8),
            2 => TryBytes(),
            5 => TrySkip(4),
            _ => false,
        };
    }

    private bool TryBytes()
    {
        if (!TryVarInt(out ulong length) || length > (ulong)_reader.Remaining)
        {
            return false;
        }

        _bytes = _reader.Sequence.Slice(_reader.Position, (long)length);
        _reader.Advance((long)length);
        return true;
    }

    private bool TrySkip(int length)
    {
        if (_reader.Remaining < length)
        {
            return false;
        }

        _reader.Advance(length);
        return true;
    }

    private bool TryVarInt(out ulong value)
    {
        value = 0;
        for (int shift = 0; shift < 64 && _reader.TryRead(out byte b); shift += 7)
        {
            // The tenth byte has room for one bit.
            if (shift == 63 && b > 1)
            {
                return false;
            }

            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80)
            {
                return true;
            }
        }

        return false;
    }
}
