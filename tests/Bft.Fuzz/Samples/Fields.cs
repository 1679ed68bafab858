namespace Bft.Fuzz;

/// <summary>A protobuf field. Numbers are kept as their bytes.</summary>
internal sealed record Field(ulong Number, int Type, byte[] Value);

/// <summary>Protobuf by fields, written without the code under test: so that a change inside keeps the lengths around it right.</summary>
internal static class Fields
{
    private const int DepthMax = 3;

    public static byte[] Bytes(int field, ReadOnlySpan<byte> value) => Join([new Field((ulong)field, 2, value.ToArray())]);

    public static byte[] Number(int field, ulong value) => Join([new Field((ulong)field, 0, Mutator.VarInt(value))]);

    public static byte[] Join(IEnumerable<Field> fields) =>
        [.. fields.SelectMany(field => (byte[])[.. Mutator.VarInt((field.Number << 3) | (uint)field.Type), .. field.Type == 2 ? Mutator.VarInt((ulong)field.Value.Length) : [], .. field.Value])];

    /// <summary>The fields of a message; null when it is none.</summary>
    public static List<Field>? Split(byte[] bytes)
    {
        List<Field> fields = [];
        for (int at = 0; at < bytes.Length;)
        {
            if (Head(bytes, ref at) is not { } head)
            {
                return null;
            }

            int length = head.Type switch { 0 => VarIntLength(bytes, at), 1 => 8, 5 => 4, 2 => Declared(bytes, ref at), _ => -1 };
            if (length < 0 || length > bytes.Length - at)
            {
                return null;
            }

            fields.Add(head with { Value = bytes[at..(at + length)] });
            at += length;
        }

        return fields;
    }

    /// <summary>The first field's head, and where its value begins, whatever length it declares.</summary>
    public static (Field? Head, int Start) HeadOf(byte[] bytes)
    {
        int at = 0;
        Field? head = Head(bytes, ref at);
        at += head is { Type: 2 } ? Math.Max(0, VarIntLength(bytes, at)) : 0;
        return (head, at);
    }

    /// <summary>A message with one of its fields changed, here or further inside.</summary>
    public static byte[]? Change(byte[] bytes, Mutator mutator, int depth)
    {
        if (Split(bytes) is not { Count: > 0 } fields)
        {
            return null;
        }

        Prng random = mutator.Random;
        int at = random.Below(fields.Count);
        if (fields[at].Type == 2 && depth < DepthMax && !random.OneIn(3) && Change(fields[at].Value, mutator, depth + 1) is { } inner)
        {
            fields[at] = fields[at] with { Value = inner };
            return Join(fields);
        }

        switch (random.Below(8))
        {
            case 0:
                fields.RemoveAt(at);
                break;
            case 1:
                fields.Insert(random.Below(fields.Count + 1), fields[at]);
                break;
            case 2:
                fields[at] = fields[at] with { Number = 1 + (ulong)random.Below(24) };
                break;
            case 3:
                fields[at] = fields[at] with { Type = random.Below(8) };
                break;
            case 4:
                fields.AddRange(Enumerable.Repeat(fields[at], random.Below(64)));
                break;
            case 5:
                fields.Add(new Field(1 + (ulong)random.Below(200), 2, [.. Enumerable.Range(0, random.Below(20)).Select(_ => random.Byte())]));
                break;
            case 6:
                (fields[at], fields[0]) = (fields[0], fields[at]);
                break;
            default:
                fields[at] = fields[at] with { Value = mutator.Change(fields[at].Value, random.Of(fields).Value, [], fields[at].Value.Length + 300) };
                break;
        }

        return Join(fields);
    }

    private static Field? Head(byte[] bytes, ref int at)
    {
        int length = VarIntLength(bytes, at);
        if (length is < 1 or > 5)
        {
            return null;
        }

        ulong tag = VarInt(bytes, at, length);
        at += length;
        return new Field(tag >> 3, (int)(tag & 7), []);
    }

    private static int Declared(byte[] bytes, ref int at)
    {
        int length = VarIntLength(bytes, at);
        if (length is < 1 or > 4)
        {
            return -1;
        }

        int declared = (int)VarInt(bytes, at, length);
        at += length;
        return declared;
    }

    private static int VarIntLength(byte[] bytes, int at)
    {
        for (int i = at; i < bytes.Length && i - at < 10; i++)
        {
            if (bytes[i] < 0x80)
            {
                return i - at + 1;
            }
        }

        return -1;
    }

    private static ulong VarInt(byte[] bytes, int at, int length)
    {
        ulong value = 0;
        for (int i = 0; i < length; i++)
        {
            value |= (ulong)(bytes[at + i] & 0x7f) << (7 * i);
        }

        return value;
    }
}
