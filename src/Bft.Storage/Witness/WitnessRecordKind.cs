namespace Bft.Storage;

/// <summary>Kinds of records in a witness's journal. Numbers are the disk's.</summary>
internal enum WitnessRecordKind : byte
{
    /// <summary>Head: cluster id, witness index. The first record of every journal, and the only one of its kind.</summary>
    Identity = 1,

    /// <summary>Head: the run; in a checkpoint, of one that is over, its last mark too.</summary>
    Run = 2,

    /// <summary>Head: flags, base, signature, statement. Body: signature, statement; to be read again one at a time. A <see cref="Body"/> follows.</summary>
    Batch = 3,

    /// <summary>Head: empty. Body: the batch's.</summary>
    Body = 4,

    /// <summary>Head and body: the certificate.</summary>
    Certificate = 5,

    /// <summary>Head: the evidence.</summary>
    Evidence = 6,

    /// <summary>Head: publisher key, incarnation, topic (W11).</summary>
    Retired = 7,

    /// <summary>Head: stream id (W11).</summary>
    Forgotten = 8,

    /// <summary>Head: an ack bundle of a peer's.</summary>
    PeerRoot = 9,

    /// <summary>Head: empty.</summary>
    LostMemory = 10,

    /// <summary>Head: stream id, floor, first kept slot (S2).</summary>
    Floor = 32,

    /// <summary>Head: the steady clock. Certificates behind it were stored then (S2).</summary>
    Clock = 33,

    /// <summary>Head: empty. Body: statement, body or certificate that was moved here; the next checkpoint says whose it is (S2).</summary>
    Moved = 34,

    /// <summary>Head: cluster id, witness index, steady clock. The first record of a checkpoint; the rest of it follows in the same commit (S2).</summary>
    Checkpoint = 35,

    /// <summary>Head: a stream, its floor, tip, and where the places of all that is stored of it are found.</summary>
    Stream = 36,

    /// <summary>Head: place, and what a <see cref="Batch"/> has: a batch above its stream's tip.</summary>
    Placed = 37,

    /// <summary>Head: the live incarnations of a publisher in a topic, and those retired (W11).</summary>
    Incarnations = 38,

    /// <summary>Head: stream, floor. Bodies below it were never here, or are not kept (S3).</summary>
    Skip = 39,

    /// <summary>Head: what a <see cref="Batch"/> has. Body: signature, statement. No body of a batch follows (S3).</summary>
    Skipped = 40,

    /// <summary>Head: stream, certificate. Body: the certificate. Nothing of the stream is kept up to its batch (S3).</summary>
    Jump = 41,

    /// <summary>Head: empty. Body: rows of an index. This checkpoint and later ones name it (S2).</summary>
    Page = 42,

    /// <summary>Head: stream id, sequence, whether a <see cref="Body"/> follows. Body: signature, statement. A stored slot that was damaged lies here now.</summary>
    MendedSlot = 43,

    /// <summary>Head: the first slot that it is to cover, certificate. Body: the certificate. It stands for a damaged one.</summary>
    MendedCertificate = 44,
}

/// <summary>First byte of a batch record.</summary>
[Flags]
internal enum BatchFlags : byte
{
    None = 0,

    /// <summary>The record stands for an ack; the base is its base (W1).</summary>
    IsAcked = 1,

    /// <summary>The signature itself was verified (S1).</summary>
    IsSigned = 2,
}
