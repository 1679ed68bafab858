using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Receiving;

/// <summary>The next batch of its stream, once per cursor (R2, R3).</summary>
/// <param name="Batch">With its body, which now belongs to the host.</param>
/// <param name="Range">The certificate that covers it, and the statements between: what a receipt is made of.</param>
public readonly record struct Delivery(VerifiedBatch Batch, CertifiedRange Range);

/// <summary>Slots that are gone by an accepted floor (R4): the application is told that they were skipped.</summary>
/// <param name="Stream">In which stream.</param>
/// <param name="First">The first slot skipped.</param>
/// <param name="Floor">The first slot not skipped.</param>
public readonly record struct Skipped(StreamId Stream, Sequence First, Sequence Floor);

/// <summary>Why a stream is wanted.</summary>
public enum WantedReason
{
    /// <summary>R4: tips prove more than was served for a while, or what was served skips slots. Another witness is to serve.</summary>
    Withheld,

    /// <summary>R4: the witness that serves has cut the slot, and too few others say the same. Another witness is to serve.</summary>
    Cut,

    /// <summary>R6: it was served and found no room here. Whoever serves is to begin anew.</summary>
    Dropped,

    /// <summary>R7: the connection to the witness that served it is gone.</summary>
    Lost,
}

/// <summary>Ask for this stream from this slot on, on the same ordered path as ever (R7).</summary>
/// <param name="Stream">Which stream.</param>
/// <param name="First">The lowest slot of which the statement or the body is missing.</param>
/// <param name="NotFrom">Who served it last; null when nobody did.</param>
/// <param name="Reason">Why.</param>
public readonly record struct Wanted(StreamId Stream, Sequence First, WitnessIndex? NotFrom, WantedReason Reason);

/// <summary>A witness sent what no correct one sends: drop it and fail over (R4).</summary>
public readonly record struct Misbehaved(WitnessIndex Witness, RejectReason Reason);

/// <summary>Hand this certificate to this witness (R5); dropped when there is no connection to it.</summary>
public readonly record struct HandOver(WitnessIndex To, VerifiedCertificate Certificate);

/// <summary>What a witness asked for that lacks the statements or bodies of what was handed over to it (R5).</summary>
/// <param name="To">Who asked.</param>
/// <param name="Range">The certificate, and statements that it covers.</param>
/// <param name="Batches">In the order of their slots. Their memory is the role's: copy it before the next input.</param>
public readonly record struct HandOverAnswer(WitnessIndex To, CertifiedRange Range, IReadOnlyList<VerifiedBatch> Batches);

/// <summary>Why an input changed nothing.</summary>
public enum ReceiverIgnored
{
    /// <summary>Known, delivered or skipped before (R3).</summary>
    AlreadyKnown,

    /// <summary>Slots between it and what is known are missing; they are wanted.</summary>
    Gap,

    /// <summary>No room until something is delivered; it is wanted again then.</summary>
    NoRoom,

    /// <summary>A body whose statement is not known.</summary>
    NoStatement,

    /// <summary>More streams than are followed.</summary>
    TooManyStreams,

    /// <summary>A witness was answered a moment ago (R5).</summary>
    TooSoon,

    /// <summary>A fork was found: nothing is delivered any more.</summary>
    Stopped,
}

/// <summary>What one input made a receiver decide. The host owns it, performs it and clears it.</summary>
/// <remarks>Contract: deliveries go to the application in this order, and a cursor is durable when the application commits it (R3), never before.</remarks>
public sealed class ReceiverEffects
{
    public IList<Delivery> Deliveries { get; } = [];

    public IList<Skipped> Skipped { get; } = [];

    public IList<Wanted> Wanted { get; } = [];

    public IList<HandOver> HandOvers { get; } = [];

    public IList<HandOverAnswer> Answers { get; } = [];

    public IList<Misbehaved> Misbehaved { get; } = [];

    /// <summary>R4: witnesses whose tips have been behind what others proved for long: watch others.</summary>
    public IList<WitnessIndex> Behind { get; } = [];

    public IList<ReceiverIgnored> Ignored { get; } = [];

    /// <summary>Set by the input that showed a fork; null otherwise.</summary>
    public Fork? Fork { get; internal set; }

    public void Clear()
    {
        Deliveries.Clear();
        Skipped.Clear();
        Wanted.Clear();
        HandOvers.Clear();
        Answers.Clear();
        Behind.Clear();
        Misbehaved.Clear();
        Ignored.Clear();
        Fork = null;
    }
}
