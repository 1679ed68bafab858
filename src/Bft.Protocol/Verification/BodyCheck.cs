using Bft.Protocol.Bodies;

namespace Bft.Protocol.Verification;

/// <summary>Is a body the one that a statement names? One hash pass over its bytes.</summary>
internal static class BodyCheck
{
    public static RejectReason WhyRejected(in BodyDescription description, ReadOnlySpan<byte> body, ClusterLimits limits)
    {
#if PLANTED
        if (Crypto.Planted.Is("body-unchecked"))
        {
            return RejectReason.None;
        }
#endif
        if (body.Length != description.Length)
        {
            return RejectReason.OtherBody;
        }

        if (!ChunkTable.TryRead(body, description.MessageCount, limits.TableBytesMax, out ChunkTable? table)
            || table.Entries.Count + 1 != description.ChunkCount
            || table.Entries[^1] is var last && last.Offset + last.Length != body.Length)
        {
            return RejectReason.BadTable;
        }

        return BodyRoot.Of(body, table) == description.Root ? RejectReason.None : RejectReason.OtherBody;
    }
}
