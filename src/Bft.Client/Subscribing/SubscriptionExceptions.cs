using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Verification;

namespace Bft.Client;

/// <summary>A subscription cannot go on. The message says what to do. Witnesses that fail or end a call are no reason: others serve.</summary>
public abstract class SubscriptionException(string message) : Exception(message);

/// <summary>f + 1 witnesses, or this client's own cluster.yaml, do not let it read the topic.</summary>
public sealed class SubscriptionRefusedException(Topic topic, string what) : SubscriptionException($"Topic '{topic}': {what}")
{
    public Topic Topic { get; } = topic;
}

/// <summary>R1, R4: two batches are certified where one can be: more than f witnesses are faulty. Nothing more is delivered.</summary>
public sealed class ForkException(Topic topic, Fork fork, IReadOnlyList<VerifiedEvidence> evidence) : SubscriptionException(
    $"Topic '{topic}': two different batches are certified in slot {fork.Slot}, so more witnesses are faulty than the cluster tolerates. Save the evidence, which names "
    + $"{evidence.Count} of them, and stop using the cluster until its operators have looked.")
{
    public Fork Fork { get; } = fork;

    /// <summary>C2: proves to anybody who is at fault.</summary>
    public IReadOnlyList<VerifiedEvidence> Evidence { get; } = evidence;
}

/// <summary>R3: another subscription, in this process or another, uses the cursor.</summary>
public sealed class CursorInUseException(string name, string folder)
    : SubscriptionException($"The cursor '{name}' is in use by another subscription ({folder}). End that one, or choose another name.");
