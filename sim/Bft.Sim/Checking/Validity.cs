using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>What a correct publisher broadcast, every correct receiver of the topic delivers, in time; and the publisher learns that it is certified.</summary>
/// <remarks>Counted by payload, from the moment when the journal kept it or a byte left: what comes in a later incarnation counts too.</remarks>
internal sealed class Validity : Checker
{
    private readonly List<Broadcast> _broadcasts = [];
    private readonly Dictionary<BatchRef, Broadcast> _byBatch = [];
    private readonly HashSet<(int Receiver, UInt128 Key)> _delivered = [];
    private readonly SkippedSlots _skipped = new();

    public override string Name => "validity";

    public override bool HoldsBeyondModel => false;

    public override void OnBroadcast(int publisher, VerifiedBatch batch)
    {
        if (!_byBatch.ContainsKey(batch.Reference))
        {
            Broadcast broadcast = new(publisher, batch.Reference, PayloadKeys.Of(batch.Statement.Statement.Header.Publisher, batch.Body.Span));
            _broadcasts.Add(broadcast);
            _byBatch.Add(batch.Reference, broadcast);
        }
    }

    public override void OnJournaled(int publisher, BatchRef batch) => Commit(batch);

    public override void OnCovered(int publisher, BatchRef batch, VerifiedCertificate certificate)
    {
        Commit(batch);
        if (_byBatch.TryGetValue(batch, out Broadcast? broadcast))
        {
            broadcast.IsCovered = true;
        }
    }

    /// <summary>What was not covered may be in no witness's hands; if it is, what they show of it is finished (P7), and counts as any other.</summary>
    public override void OnJournalLost(int publisher, bool isOld)
    {
        foreach (Broadcast broadcast in _broadcasts.Where(broadcast => broadcast.Publisher == publisher && !broadcast.IsCovered))
        {
            broadcast.IsLost = true;
        }
    }

    public override void OnSent(int from, int to, IFrame frame, int bytes)
    {
        if (frame is BatchFrame && Facts.Sightings.Of(from, frame).Batch is { } sent)
        {
            Commit(sent.Batch);
        }
    }

    public override void OnDelivered(int receiver, Delivery delivery, bool isPossibleRepeat)
    {
#if PLANTED
        if (Crypto.Planted.Is("canary-validity") && delivery.Batch.Sequence.Value == 1)
        {
            return;
        }
#endif
        foreach (UInt128 key in PayloadKeys.Of(delivery.Batch.Statement.Statement.Header.Publisher, delivery.Batch.Body.Span))
        {
            _delivered.Add((receiver, key));
        }
    }

    public override void OnSkipped(int receiver, Skipped skipped) => _skipped.Add(receiver, skipped);

    /// <summary>Every broadcast that counts was delivered by all who read its topic.</summary>
    public override bool IsSettled => _broadcasts.TrueForAll(broadcast => !IsDue(broadcast) || FirstLacking(broadcast) < 0);

    public override void OnEnd()
    {
        for (int party = 0; party < Facts.Parties.Count; party++)
        {
            if (Facts.IsPublisher(party) && Facts.IsInCore(party) && Facts.Outstanding(party) is var waiting and > 0)
            {
                Fail($"{NameOf(party)} still waits for {waiting} of its batches to be certified.", party);
                return;
            }
        }

        foreach (Broadcast broadcast in _broadcasts)
        {
            if (!Facts.IsCorrect(broadcast.Publisher) || !Facts.IsInCore(broadcast.Publisher))
            {
                Excuse("publisher gone");
            }
            else if (!broadcast.IsCommitted)
            {
                Excuse("lost before anything left");
            }
            else if (broadcast.IsLost)
            {
                Excuse("lost with the journal");
            }
            else if (!IsDelivered(broadcast))
            {
                return;
            }
        }
    }

    private bool IsDelivered(Broadcast broadcast)
    {
        int receiver = FirstLacking(broadcast);
        if (receiver >= 0)
        {
            Fail($"{NameOf(receiver)} never delivered {broadcast.Batch}, which {NameOf(broadcast.Publisher)} broadcast.", receiver, broadcast.Publisher);
        }

        return receiver < 0;
    }

    private bool IsDue(Broadcast broadcast) => broadcast.IsCommitted && !broadcast.IsLost && Facts.IsCorrect(broadcast.Publisher) && Facts.IsInCore(broadcast.Publisher);

    /// <summary>A receiver that should have delivered it, has not, and did not skip it; −1 when there is none.</summary>
    private int FirstLacking(Broadcast broadcast)
    {
        for (int receiver = 0; receiver < Facts.Parties.Count; receiver++)
        {
            if (Facts.IsReceiver(receiver) && Facts.IsInCore(receiver) && Facts.TopicOf(receiver) == Facts.TopicOf(broadcast.Publisher)
                && !broadcast.Keys.TrueForAll(key => _delivered.Contains((receiver, key)))
                && !_skipped.Contains(receiver, broadcast.Batch.Slot))
            {
                return receiver;
            }
        }

        return -1;
    }

    private void Commit(BatchRef batch)
    {
        if (_byBatch.TryGetValue(batch, out Broadcast? broadcast))
        {
            broadcast.IsCommitted = true;
        }
    }

    private sealed record Broadcast(int Publisher, BatchRef Batch, List<UInt128> Keys)
    {
        /// <summary>Its publisher cannot have lost it any more, but with its journal.</summary>
        public bool IsCommitted { get; set; }

        public bool IsCovered { get; set; }

        public bool IsLost { get; set; }
    }
}
