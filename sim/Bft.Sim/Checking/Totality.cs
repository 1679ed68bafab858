using Bft.Protocol.Model;
using Bft.Protocol.Receiving;

namespace Bft.Sim;

/// <summary>What one correct receiver delivered, every correct receiver of the topic delivers in time, though the first crashed right after.</summary>
internal sealed class Totality : Checker
{
    private readonly Dictionary<Slot, (Topic Topic, int First)> _slots = [];
    private readonly HashSet<(int Receiver, Slot Slot)> _done = [];
    private readonly SkippedSlots _skipped = new();

    public override string Name => "totality";

    public override bool HoldsBeyondModel => false;

    public override void OnDelivered(int receiver, Delivery delivery, bool isPossibleRepeat)
    {
        Slot slot = delivery.Batch.Reference.Slot;
        bool isFirst = _slots.TryAdd(slot, (Facts.TopicOf(receiver), receiver));
#if PLANTED
        if (Crypto.Planted.Is("canary-totality") && !isFirst)
        {
            return;
        }
#endif
        _done.Add((receiver, slot));
    }

    public override void OnSkipped(int receiver, Skipped skipped) => _skipped.Add(receiver, skipped);

    public override bool IsSettled => !_slots.Any(entry => FirstLacking(entry.Key, entry.Value.Topic) >= 0);

    public override void OnEnd()
    {
        foreach ((Slot slot, (Topic topic, int first)) in _slots.OrderBy(entry => entry.Key.Stream).ThenBy(entry => entry.Key.Sequence))
        {
            if (FirstLacking(slot, topic) is var receiver and >= 0)
            {
                Fail($"{NameOf(first)} delivered slot {slot}, and {NameOf(receiver)} never did.", receiver, first);
                return;
            }
        }
    }

    /// <summary>A receiver in the core that has neither delivered nor skipped the slot; −1 when there is none.</summary>
    private int FirstLacking(Slot slot, Topic topic)
    {
        for (int receiver = 0; receiver < Facts.Parties.Count; receiver++)
        {
            if (Facts.IsReceiver(receiver) && Facts.IsInCore(receiver) && Facts.TopicOf(receiver) == topic
                && !_done.Contains((receiver, slot)) && !_skipped.Contains(receiver, slot))
            {
                return receiver;
            }
        }

        return -1;
    }
}
