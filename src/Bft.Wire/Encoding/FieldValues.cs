using System.Buffers;
using System.Buffers.Binary;
using System.Text.Unicode;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;

namespace Bft.Wire.Encoding;

/// <summary>Reads one element of a repeated field.</summary>
internal delegate bool TryRead<T>(in ReadOnlySequence<byte> bytes, out T value);

/// <summary>From the bytes of a field to a word of the model; false where they are none.</summary>
internal static class FieldValues
{
    public static bool TryDigest(this in ReadOnlySequence<byte> bytes, out Digest value)
    {
        Span<byte> copy = stackalloc byte[Digest.Length];
        bool fits = TryCopy(bytes, copy);
        value = fits ? new Digest(copy) : default;
        return fits;
    }

    /// <summary>As <see cref="TryDigest"/>; nothing at all is legal too.</summary>
    public static bool TryOptionalDigest(this in ReadOnlySequence<byte> bytes, out Digest? value)
    {
        Digest digest = default;
        bool fits = bytes.IsEmpty || bytes.TryDigest(out digest);
        value = fits && !bytes.IsEmpty ? digest : null;
        return fits;
    }

    public static bool TryStream(this in ReadOnlySequence<byte> bytes, out StreamId value)
    {
        bool fits = bytes.TryDigest(out Digest digest);
        value = new StreamId(digest);
        return fits;
    }

    public static bool TryKey(this in ReadOnlySequence<byte> bytes, out PublicKey value)
    {
        Span<byte> copy = stackalloc byte[PublicKey.Length];
        bool fits = TryCopy(bytes, copy);
        value = fits ? new PublicKey(copy) : default;
        return fits;
    }

    public static bool TrySignature(this in ReadOnlySequence<byte> bytes, out Signature value)
    {
        Span<byte> copy = stackalloc byte[Signature.Length];
        bool fits = TryCopy(bytes, copy);
        value = fits ? new Signature(copy) : default;
        return fits;
    }

    public static bool TryTopic(this in ReadOnlySequence<byte> bytes, out Topic value)
    {
        value = default;
        if (bytes.Length > Topic.LengthMax)
        {
            return false;
        }

        Span<byte> copy = stackalloc byte[(int)bytes.Length];
        bytes.CopyTo(copy);
        return Topic.TryParse(copy, out value);
    }

    public static bool TryText(this in ReadOnlySequence<byte> bytes, out string value)
    {
        value = string.Empty;
        if (bytes.Length > FrameLimits.TextBytesMax)
        {
            return false;
        }

        Span<byte> copy = stackalloc byte[(int)bytes.Length];
        bytes.CopyTo(copy);
        if (!Utf8.IsValid(copy))
        {
            return false;
        }

        value = System.Text.Encoding.UTF8.GetString(copy);
        return true;
    }

    /// <summary>A copy of opaque bytes of a legal length.</summary>
    public static bool TryOpaque(this in ReadOnlySequence<byte> bytes, int lengthMin, int lengthMax, out ReadOnlyMemory<byte> value)
    {
        bool fits = bytes.Length >= lengthMin && bytes.Length <= lengthMax;
        value = fits ? bytes.ToArray() : default;
        return fits;
    }

    /// <summary>As <see cref="TryOpaque"/>; nothing at all is legal too.</summary>
    public static bool TryOptional(this in ReadOnlySequence<byte> bytes, int lengthMin, int lengthMax, out ReadOnlyMemory<byte> value)
    {
        value = default;
        return bytes.IsEmpty || bytes.TryOpaque(lengthMin, lengthMax, out value);
    }

    public static bool TryIncarnation(this in ReadOnlySequence<byte> bytes, out Incarnation value)
    {
        Span<byte> copy = stackalloc byte[Incarnation.Length];
        bool fits = TryCopy(bytes, copy);
        value = fits ? new Incarnation(BinaryPrimitives.ReadUInt64LittleEndian(copy), BinaryPrimitives.ReadUInt64LittleEndian(copy[8..])) : default;
        return fits;
    }

    /// <summary>An optional sequence: absent is legal.</summary>
    public static bool TrySequence(ulong? number, out Sequence? value)
    {
        bool fits = Sequence.TryCreate(number ?? 0, out Sequence sequence);
        value = fits && number is not null ? sequence : null;
        return fits;
    }

    public static bool TryWitness(int number, out WitnessIndex value)
    {
        bool fits = number is >= 0 and < CommitteeSize.Max;
        value = fits ? new WitnessIndex(number) : default;
        return fits;
    }

    /// <summary>The elements of a repeated field of a message that is whole.</summary>
    /// <remarks>Counted before anything is allocated; <paramref name="lengthMin"/> keeps elements from being larger in memory than on the wire by more than a small factor.</remarks>
    public static bool TryList<T>(this in ReadOnlySequence<byte> message, int field, int countMax, int lengthMin, TryRead<T> tryRead, out T[] values)
    {
        values = [];
        int count = 0;
        ReadOnlySequence<byte> element = default;
        FieldReader counter = new(message);
        while (counter.Next())
        {
            if (counter.Bytes(field, ref element) && (element.Length < lengthMin || ++count > countMax))
            {
                return false;
            }
        }

        if (count == 0)
        {
            return true;
        }

        values = new T[count];
        int next = 0;
        FieldReader reader = new(message);
        while (reader.Next())
        {
            if (reader.Bytes(field, ref element) && !tryRead(element, out values[next++]))
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryCopy(in ReadOnlySequence<byte> bytes, Span<byte> destination)
    {
        bool fits = bytes.Length == destination.Length;
        if (fits)
        {
            bytes.CopyTo(destination);
        }

        return fits;
    }
}
