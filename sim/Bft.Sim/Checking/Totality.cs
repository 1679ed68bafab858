using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>
/// What one correct receiver delivered, every correct receiver of the topic delivers in time, though the first crashed right after. So it must not deliver before f + 1 witnesses
/// showed it that they hold the slot, or all n acked it (R5).
/// </summary>
internal sealed class Totality : Checker
{
    private readonly Dictionary<Slot, (Topic Topic, int First)> _slots = [];
    private readonly HashSet<(int Receiver, Slot Slot)> _done = [];
    private readonly SkippedSlots _skipped = new();
    private readonly Dictionary<(int Receiver, StreamId Stream), SortedDictionary<int, Sequence>> _floors = [];
    private readonly Dictionary<(int Receiver, StreamId Stream), Shown> _shown = [];

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
        int holders = _shown.TryGetValue((receiver, slot.Stream), out Shown? shown) ? shown.HoldersOf(slot.Sequence.Value) : 0;
        if (holders < OneCorrect && shown?.IsAckedByAll(slot.Sequence.Value) != true)
        {
            Fail($"{NameOf(receiver)} delivered slot {slot}, which {holders} witnesses had shown it that they hold (R5).", receiver);
        }
    }

    public override void OnSent(int from, int to, IFrame frame, int bytes)
    {
        if (Facts.IsReceiver(to) && Facts.IsWitness(from))
        {
            foreach (SeenCertificate certificate in Facts.Sightings.Of(from, frame).Certificates)
            {
                OnShown(from, to, certificate);
            }
        }

        if (frame is FloorFrame { Slot: var floor } && Facts.IsReceiver(to))
        {
            if (!_floors.TryGetValue((to, floor.Stream), out SortedDictionary<int, Sequence>? named))
            {
                named = [];
                _floors.Add((to, floor.Stream), named);
            }

            named[from] = named.TryGetValue(from, out Sequence known) && known > floor.Sequence ? known : floor.Sequence;
        }
    }

    /// <summary>R4: the lowest floor named is used, and f + 1 witnesses named one.</summary>
    public override void OnSkipped(int receiver, Skipped skipped)
    {
        int named = _floors.TryGetValue((receiver, skipped.Stream), out SortedDictionary<int, Sequence>? floors) ? floors.Values.Count(floor => floor >= skipped.Floor) : 0;
        if (named < OneCorrect)
        {
            Fail($"{NameOf(receiver)} skipped slots {skipped.First} to {skipped.Floor} of {skipped.Stream}, though {named} witnesses named so high a floor (R4).", receiver);
        }

        _skipped.Add(receiver, skipped);
    }

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

    /// <summary>f + 1.</summary>
    private int OneCorrect => ((Facts.Plan.Witnesses - 1) / 3) + 1;

    private void OnShown(int witness, int receiver, SeenCertificate certificate)
    {
        if (!_shown.TryGetValue((receiver, certificate.Batch.Stream), out Shown? shown))
        {
            shown = new Shown();
            _shown.Add((receiver, certificate.Batch.Stream), shown);
        }

        shown.Add(witness, certificate, Facts.Plan.Witnesses);
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

    /// <summary>Certificates of one stream that witnesses sent to a receiver, whether they arrived or not.</summary>
    private sealed class Shown
    {
        private readonly SortedDictionary<int, ulong> _highest = [];
        private readonly List<(ulong Base, ulong Top)> _byAll = [];

        public void Add(int witness, SeenCertificate certificate, int witnesses)
        {
            ulong top = certificate.Batch.Sequence.Value;
            _highest[witness] = _highest.TryGetValue(witness, out ulong known) ? Math.Max(known, top) : top;
            if (certificate.Acks.Length == witnesses && !_byAll.Contains((certificate.Base, top)))
            {
                _byAll.Add((certificate.Base, top));
            }
        }

        public int HoldersOf(ulong sequence) => _highest.Values.Count(top => top >= sequence);

        public bool IsAckedByAll(ulong sequence) => _byAll.Exists(range => range.Base <= sequence && sequence <= range.Top);
    }
}
