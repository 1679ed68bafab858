namespace Bft.Protocol.Verification;

/// <summary>Why bytes of a peer were not taken for what they claim to be. A value, not an exception: a peer's misdeed is an input.</summary>
public enum RejectReason
{
    None = 0,

    /// <summary>The bytes do not have the layout.</summary>
    Malformed,

    /// <summary>Signed for another cluster.</summary>
    OtherCluster,

    /// <summary>Of an epoch that is not the current one.</summary>
    OtherEpoch,

    /// <summary>No member of the committee has this index.</summary>
    UnknownWitness,

    /// <summary>The signature does not verify.</summary>
    BadSignature,

    /// <summary>The publisher's key is not an acceptable one.</summary>
    BadKey,

    /// <summary>A limit of the cluster is exceeded.</summary>
    OverLimit,

    /// <summary>The body does not hash to the root that the statement names.</summary>
    OtherBody,

    /// <summary>The body's table does not list exactly the other chunks and each message once.</summary>
    BadTable,

    /// <summary>An ack's base lies above its slot or further below than the window.</summary>
    BadBase,

    /// <summary>A path that does not lead to the signed root.</summary>
    BadPath,

    /// <summary>A certificate with a witness twice.</summary>
    DuplicateWitness,

    /// <summary>A certificate with fewer witnesses than a quorum.</summary>
    UnderQuorum,

    /// <summary>A statement that is not the one that the digest names.</summary>
    OtherDigest,

    /// <summary>Two statements that do not contradict each other.</summary>
    NoConflict,

    /// <summary>The statement names another witness, another connection or another client.</summary>
    OtherParty,

    /// <summary>Another slot, or more or fewer slots, than the certificate covers.</summary>
    OtherSlot,

    /// <summary>Of another topic than the one asked for.</summary>
    OtherTopic,
}
