using Bft.Crypto;
using Bft.Protocol.Model;

namespace Bft.Sim;

/// <summary>Values next to the true ones.</summary>
internal static class SmallLies
{
    /// <summary>Bytes with one bit flipped.</summary>
    public static byte[] Flipped(ReadOnlyMemory<byte> bytes, ref Lot lot)
    {
        byte[] flipped = bytes.ToArray();
        if (flipped.Length > 0)
        {
            flipped[lot.Below(flipped.Length)] ^= (byte)(1 << lot.Below(8));
        }

        return flipped;
    }

    public static Sequence Moved(Sequence sequence, ref Lot lot) => lot.Below(2) == 0 && !sequence.IsFirst ? sequence.Preceding : sequence.Following;

    public static Digest Bent(Digest digest)
    {
        Span<byte> bytes = stackalloc byte[Digest.Length];
        digest.CopyTo(bytes);
        bytes[0] ^= 1;
        return new Digest(bytes);
    }
}
