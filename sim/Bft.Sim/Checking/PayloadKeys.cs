using Bft.Crypto;

namespace Bft.Sim;

/// <summary>Messages by what is in them: a batch that is published again in a new incarnation carries the same ones.</summary>
internal static class PayloadKeys
{
    /// <summary>A key for each message of a body, its publisher included; a body that is not what it should be counts as one message.</summary>
    public static List<UInt128> Of(PublicKey publisher, ReadOnlySpan<byte> body)
    {
        List<UInt128> keys = [];
        Span<byte> key = stackalloc byte[PublicKey.Length];
        publisher.CopyTo(key);
        ulong by = FastHash.Of(key);
        ByteReader all = new(body);
        ByteReader table = new(all.Take(new ByteReader(body).U32()));
        table.Take(4);
        for (uint chunks = table.U32(); chunks > 0 && !table.IsBroken; chunks--)
        {
            ByteReader chunk = new(all.Take(table.U32()));
            uint messages = table.U32();
            table.Take(8L * table.U32());
            table.Take(table.U16());
            for (; messages > 0 && !chunk.IsBroken; messages--)
            {
                ByteReader record = new(chunk.Take(chunk.Packed()));
                record.Take(1);
                record.Take(record.Packed());
                record.Take(record.Packed());
                for (int fields = 2 * record.Packed(); fields > 0; fields--)
                {
                    record.Take(record.Packed());
                }

                keys.Add(KeyOf(by, record.Rest()));
            }
        }

        return all.IsWhole && table.IsWhole ? keys : [KeyOf(by, body)];
    }

    private static UInt128 KeyOf(ulong publisher, ReadOnlySpan<byte> payload) => new(FastHash.Of(payload, publisher), FastHash.Of(payload, ~publisher));
}
