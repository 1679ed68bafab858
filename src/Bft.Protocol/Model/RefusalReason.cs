namespace Bft.Protocol.Model;

/// <summary>Why a witness refuses a batch. The numbers are those of the wire contract.</summary>
public enum RefusalReason : byte
{
    /// <summary>No reason that this version knows; believed of nobody and retried.</summary>
    Unknown = 0,

    /// <summary>The bytes are no batch.</summary>
    Malformed = 1,

    /// <summary>The topic's policy does not let this publisher publish there.</summary>
    NotAllowed = 2,

    /// <summary>A limit of the cluster is exceeded; or the batch would begin a stream beyond those that the witness keeps (C3).</summary>
    OverLimit = 3,

    /// <summary>The signature does not verify.</summary>
    BadSignature = 4,

    /// <summary>Signed for another cluster or epoch.</summary>
    OtherCluster = 5,

    /// <summary>W3: another batch was acked or is certified in the slot. Carries the proof (P6).</summary>
    Conflict = 6,

    /// <summary>The slot lies below the floor. Carries the stream's tip certificate (P6).</summary>
    BelowFloor = 7,

    /// <summary>W4: the slot lies above the window; goes away when the slots below it are acked.</summary>
    OutOfWindow = 8,

    /// <summary>The incarnation is more than a day ahead of the witness's clock; goes away with time.</summary>
    TooFarAhead = 9,

    /// <summary>W11: the list of live incarnations is full of ones with work left; goes away, or calls for a new incarnation (P6).</summary>
    Full = 10,

    /// <summary>W11: the incarnation was retired; calls for a new one (P6).</summary>
    Retired = 11,

    /// <summary>W10: two batches of this publisher in one slot were shown.</summary>
    ProvenFaulty = 12,

    /// <summary>The witness is going down; goes away by itself.</summary>
    ShuttingDown = 13,

    /// <summary>No such topic in the witness's configuration.</summary>
    UnknownTopic = 14,
}

/// <summary>What a publisher makes of a reason.</summary>
public static class RefusalReasons
{
    /// <summary>Waiting does not help: when f + 1 witnesses say so, one of them is correct and the publish has failed.</summary>
    public static bool IsPermanent(this RefusalReason reason) => reason is RefusalReason.Malformed or RefusalReason.NotAllowed or RefusalReason.OverLimit
        or RefusalReason.BadSignature or RefusalReason.OtherCluster or RefusalReason.ProvenFaulty or RefusalReason.UnknownTopic;

    /// <summary>P6: a new incarnation helps, and nothing else surely does.</summary>
    public static bool CallsForNewIncarnation(this RefusalReason reason) => reason is RefusalReason.Full or RefusalReason.Retired;
}
