using System.Buffers.Binary;
using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Verification;

namespace Bft.Sim;

/// <summary>A receiver delivers only what its publisher signed, byte for byte, in the topic that it reads.</summary>
internal sealed class Integrity : Checker
{
    private readonly Dictionary<BatchRef, ulong> _made = [];
    private readonly Dictionary<BatchRef, ulong> _sound = [];

    public override string Name => "integrity";

    public override void OnBroadcast(int publisher, VerifiedBatch batch)
    {
        Facts.Sightings.Statement(batch.Statement.Statement.Bytes.Span);
        _made[batch.Reference] = FastHash.Of(batch.Body.Span);
    }

    public override void OnDelivered(int receiver, Delivery delivery, bool isPossibleRepeat)
    {
        BatchRef batch = delivery.Batch.Reference;
        ReadOnlySpan<byte> body = delivery.Batch.Body.Span;
        ulong hash = FastHash.Of(body);
#if PLANTED
        hash ^= Planted.Is("canary-integrity") ? 1UL : 0;
#endif
        if (Facts.Sightings.Statement(delivery.Batch.Statement.Statement.Bytes.Span) is not { } statement || statement.Batch != batch)
        {
            Fail($"{NameOf(receiver)} delivered {batch}, which is not what its statement says.", receiver);
            return;
        }

        int publisher = Facts.PartyOf(statement.Publisher);
        if (statement.Topic != Facts.TopicOf(receiver))
        {
            Fail($"{NameOf(receiver)} delivered {batch} of topic '{statement.Topic.Name}'.", receiver);
        }
        else if (publisher < 0)
        {
            Fail($"{NameOf(receiver)} delivered {batch} of a publisher that there is not.", receiver);
        }
        else if (_made.TryGetValue(batch, out ulong made) ? made != hash : Facts.IsCorrect(publisher))
        {
            Fail($"{NameOf(receiver)} delivered {batch}, which {NameOf(publisher)} did not make so.", receiver, publisher);
        }
        else if (!_sound.TryGetValue(batch, out ulong sound) ? !IsBodyOf(statement, body) : sound != hash)
        {
            Fail($"{NameOf(receiver)} delivered {batch} with a body that its statement does not name.", receiver);
        }
        else
        {
            _sound[batch] = hash;
        }
    }

    /// <summary>Cuts the body where its table says, and hashes the pieces up to the root.</summary>
    private static bool IsBodyOf(SeenStatement statement, ReadOnlySpan<byte> body)
    {
        List<Digest> leaves = [];
        if (body.Length != statement.BodyLength || body.Length < 8)
        {
            return false;
        }

        uint tableLength = BinaryPrimitives.ReadUInt32LittleEndian(body);
        ByteReader all = new(body);
        ReadOnlySpan<byte> tableBytes = all.Take(tableLength);
        leaves.Add(OwnTree.Leaf(tableBytes));
        ByteReader table = new(tableBytes);
        table.Take(4);
        for (uint left = table.U32(); left > 0 && !table.IsBroken && !all.IsBroken; left--)
        {
            leaves.Add(OwnTree.Leaf(all.Take(table.U32())));
            table.Take(4);
            table.Take(8L * table.U32());
            table.Take(table.U16());
        }

        return all.IsWhole && table.IsWhole && leaves.Count == statement.ChunkCount
            && OwnTree.Root(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(leaves)) == statement.BodyRoot;
    }
}
