using Bft.Protocol.Model;
using Bft.Protocol.Publishing;

namespace Bft.Client;

/// <summary>A publisher cannot do what it was asked. The message says what to do.</summary>
public abstract class PublishException(string message) : Exception(message);

/// <summary>P4: as much is in flight as may be, and <see cref="WhenFull.Fail"/> was chosen. Retry later.</summary>
public sealed class PublisherFullException(Topic topic)
    : PublishException($"The publisher of topic '{topic}' has as many batches in flight as it may (P4). Send again later, or set WhenFull to Wait.");

/// <summary>The cluster does not take what is published there: by its policy, or f + 1 witnesses refused a batch for good.</summary>
public sealed class PublishRefusedException(RefusalReason reason, Topic topic, string what) : PublishException($"Topic '{topic}': {what}")
{
    public RefusalReason Reason { get; } = reason;

    public Topic Topic { get; } = topic;

    internal static PublishRefusedException Of(RefusalReason reason, Topic topic) => new(reason, topic, reason switch
    {
        RefusalReason.NotAllowed => "the witnesses' policy does not let this key publish. Add it under topics in every witness's cluster.yaml.",
        RefusalReason.UnknownTopic => "the witnesses have no policy for it. Add one under topics in every witness's cluster.yaml.",
        RefusalReason.ProvenFaulty => "the witnesses hold proof that this key signed two batches for one slot: its journal was lost or its key copied. Use a new key.",
        RefusalReason.OtherCluster => "the witnesses belong to another cluster. Compare name, nonce, keys and limits in cluster.yaml.",
        RefusalReason.OverLimit => "the batch exceeds the cluster's limits as the witnesses know them, or this key (or all together) has as many streams as they keep. Compare limits in cluster.yaml; publish with a journal, which goes on with its stream. A key that has used up its streams is replaced by a new one.",
        _ => $"f + 1 witnesses refused a batch for good ({reason}). Open the publisher anew; if it comes back, report it with the witnesses' logs.",
    });
}

/// <summary>
/// P6: a witness showed something that this publisher's key signed and its journal does not hold: the journal was lost or put back, or the key was copied.
/// Nothing more is signed. Opening the publisher anew begins a new incarnation; a copied key must be replaced.
/// </summary>
public sealed class JournalLostException(Topic topic, JournalLost proof) : PublishException(
    $"Topic '{topic}': a witness proved that slot {proof.Slot} holds a batch which this publisher's journal does not know. The journal was lost or put back to an older state, or "
    + "somebody else uses this key. If no backup was restored here, replace the key; then open the publisher anew.")
{
    public JournalLost Proof { get; } = proof;
}

/// <summary>The journal's disk failed: nothing more can be made durable, so nothing more is signed (P2).</summary>
public sealed class PublisherJournalException(Topic topic, Exception cause)
    : PublishException($"Topic '{topic}': the publisher's journal cannot be used: {cause.Message} Repair the disk or choose another data directory, then open the publisher anew.");

/// <summary>The publisher was disposed before this was certified. It may still be: with a journal, the next start goes on with it.</summary>
public sealed class PublisherClosedException(Topic topic)
    : PublishException($"The publisher of topic '{topic}' was closed before this was certified. With a journal the next start goes on with it.");
