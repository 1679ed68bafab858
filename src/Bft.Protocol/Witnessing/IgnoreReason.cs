namespace Bft.Protocol.Witnessing;

/// <summary>Why an input changed nothing. For counters and traces, never sent.</summary>
public enum IgnoreReason
{
    /// <summary>The ack waits for its record; it leaves by itself when that is durable (W1).</summary>
    NotDurableYet,

    /// <summary>Beyond the window (W4, C3).</summary>
    OutOfWindow,

    /// <summary>The same batch is held already.</summary>
    HeldAlready,

    /// <summary>No room is left for batches that wait for a predecessor (W4).</summary>
    HeldBytes,

    /// <summary>Evidence about this offender is kept already (W3, C2).</summary>
    AlreadyProven,

    /// <summary>The publisher is proven faulty in the stream (W10).</summary>
    ProvenFaulty,

    /// <summary>At or below the stored tip: known.</summary>
    BelowTip,

    /// <summary>No certificate known here covers a batch whose publisher's signature was not checked.</summary>
    NotCovered,

    /// <summary>The same ack again (C1).</summary>
    RepeatedAck,

    /// <summary>Two certificates contradict each other: more than f witnesses are faulty.</summary>
    ConflictingCertificate,

    /// <summary>The quota for acks of unknown streams is used up; the oldest went (C3).</summary>
    UnknownAcksOverflow,

    /// <summary>The incarnation is retired, or the list of live ones is full (W11).</summary>
    NotLive,

    /// <summary>C3: the publisher, or all together, have as many streams as are kept.</summary>
    TooManyStreams,

    /// <summary>The incarnation is more than a day ahead of the clock.</summary>
    TooFarAhead,
}
