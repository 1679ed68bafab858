using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;

namespace Bft.Sim;

/// <summary>In a stream by sequence, without gaps; a linked incarnation after its link's target, or after a floor or cursor beyond that.</summary>
internal sealed class Order : Checker
{
    private readonly Dictionary<(int Receiver, StreamId Stream), Reader> _readers = [];

    public override string Name => "order";

    public override void OnDelivered(int receiver, Delivery delivery, bool isPossibleRepeat)
    {
        BatchRef batch = delivery.Batch.Reference;
        Reader reader = Of(receiver, batch.Stream);
        ulong sequence = batch.Sequence.Value;
#if PLANTED
        sequence += Planted.Is("canary-order") && sequence == 2 ? 1UL : 0;
#endif
        if (sequence > reader.Next)
        {
            Fail($"{NameOf(receiver)} delivered {batch} where slot {reader.Next} was due.", receiver);
        }

        // A repeat, marked or not, is another checker's business; after a restart one may begin anywhere in what was delivered before.
        reader.Next = reader.IsResuming ? sequence + 1 : Math.Max(reader.Next, sequence + 1);
        reader.High = Math.Max(reader.High, reader.Next);
        reader.IsResuming = false;
        CheckAncestor(receiver, reader, batch, Facts.Sightings.Statement(delivery.Batch.Statement.Statement.Bytes.Span));
        reader.Digests[batch.Sequence.Value] = batch.Digest;
    }

    public override void OnCommitted(int receiver, StreamId stream, Sequence next)
    {
        Reader reader = Of(receiver, stream);
        reader.High = Math.Max(reader.High, next.Value);
    }

    public override void OnSkipped(int receiver, Skipped skipped)
    {
        Reader reader = Of(receiver, skipped.Stream);
        if (skipped.First.Value > reader.Next)
        {
            Fail($"{NameOf(receiver)} skipped from slot {skipped.First} of {skipped.Stream}, where slot {reader.Next} was due.", receiver);
        }

        reader.Next = skipped.Floor.Value;
        reader.High = Math.Max(reader.High, reader.Next);
        reader.IsResuming = false;
    }

    public override void OnStarted(int party)
    {
        foreach (((int receiver, StreamId _), Reader reader) in _readers)
        {
            if (receiver == party)
            {
                reader.Next = reader.High;
                reader.IsResuming = true;
            }
        }
    }

    private void CheckAncestor(int receiver, Reader reader, BatchRef batch, SeenStatement? statement)
    {
        if (statement?.Previous is { } previous && reader.Digests.TryGetValue(previous.Sequence.Value, out Digest before) && before != previous.Digest)
        {
            Fail($"{NameOf(receiver)} delivered {batch}, which does not follow what it delivered before (R1).", receiver);
        }

        if (statement?.Link is { } link && Of(receiver, link.Stream).High <= link.Sequence.Value)
        {
            Fail($"{NameOf(receiver)} delivered {batch} before the target of its link, {link}.", receiver);
        }
    }

    private Reader Of(int receiver, StreamId stream)
    {
        if (!_readers.TryGetValue((receiver, stream), out Reader? reader))
        {
            reader = new Reader();
            _readers.Add((receiver, stream), reader);
        }

        return reader;
    }

    private sealed class Reader
    {
        /// <summary>The slot that is due.</summary>
        public ulong Next { get; set; }

        /// <summary>One above the highest slot ever delivered, skipped or committed.</summary>
        public ulong High { get; set; }

        /// <summary>Nothing came since the restart: the cursor decides where it goes on, at most at <see cref="High"/>.</summary>
        public bool IsResuming { get; set; }

        public Dictionary<ulong, Digest> Digests { get; } = [];
    }
}
