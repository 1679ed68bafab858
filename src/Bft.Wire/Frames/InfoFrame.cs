using System.Buffers;
using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Wire.Encoding;

namespace Bft.Wire.Frames;

/// <summary>Who a witness says it is. Believed only as far as it is what the caller's configuration says.</summary>
/// <param name="Cluster">Which cluster.</param>
/// <param name="Witness">Its index in the genesis order.</param>
/// <param name="WitnessKey">Its key.</param>
/// <param name="Epoch">The current epoch.</param>
/// <param name="Software">Name and version.</param>
/// <param name="Limits">The cluster's; not checked.</param>
public sealed record InfoFrame(ClusterId Cluster, WitnessIndex Witness, PublicKey WitnessKey, Epoch Epoch, string Software, ClusterLimits Limits) : IInfoReply
{
    FrameKind IFrame.Kind => FrameKind.Info;

    void IFrame.Write(ref FieldWriter writer)
    {
        writer.Digest(1, Cluster.Digest);
        writer.Number(2, Witness.Value);
        writer.Key(3, WitnessKey);
        writer.Number(4, Epoch.Value);
        writer.Text(5, Software);
        writer.Number(6, Limits.BatchBytesMax);
        writer.Number(7, Limits.MessageBytesMax);
        writer.Number(8, Limits.MessageCountMax);
        writer.Number(9, Limits.TableBytesMax);
        writer.Number(10, Limits.WindowSlots);
        writer.Number(11, (ulong)Limits.WindowBytes);
    }

    internal static InfoFrame? Read(in ReadOnlySequence<byte> bytes)
    {
        ReadOnlySequence<byte> cluster = default, witnessKey = default, software = default;
        int witness = 0, epoch = 0, batch = 0, message = 0, count = 0, table = 0, slots = 0;
        ulong windowBytes = 0;
        FieldReader reader = new(bytes);
        while (reader.Next())
        {
            _ = reader.Bytes(1, ref cluster) || reader.Number(2, ref witness) || reader.Bytes(3, ref witnessKey) || reader.Number(4, ref epoch)
                || reader.Bytes(5, ref software) || reader.Number(6, ref batch) || reader.Number(7, ref message) || reader.Number(8, ref count)
                || reader.Number(9, ref table) || reader.Number(10, ref slots) || reader.Number(11, ref windowBytes);
        }

        if (!reader.IsWhole
            || !cluster.TryDigest(out Digest id)
            || !FieldValues.TryWitness(witness, out WitnessIndex index)
            || !witnessKey.TryKey(out PublicKey key)
            || !software.TryText(out string words)
            || windowBytes > long.MaxValue)
        {
            return null;
        }

        ClusterLimits limits = new()
        {
            BatchBytesMax = batch,
            MessageBytesMax = message,
            MessageCountMax = count,
            TableBytesMax = table,
            WindowSlots = slots,
            WindowBytes = (long)windowBytes,
        };
        return new InfoFrame(new ClusterId(id), index, key, new Epoch((uint)epoch), words, limits);
    }
}
