namespace Bft.Storage;

/// <summary>Kinds of records in a witness's journal. Numbers are the disk's.</summary>
internal enum WitnessRecordKind : byte
{
    /// <summary>Head: cluster id, witness index. The first record of every journal, and the only one of its kind.</summary>
    Identity = 1,

    /// <summary>Head: the run.</summary>
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
