namespace Bft.Sim;

/// <summary>What happened, as log and picture show it.</summary>
public enum TraceKind
{
    /// <summary>A message left. <see cref="TraceEvent.Message"/> numbers it; its arrival has the same number.</summary>
    Send,

    /// <summary>A message arrived.</summary>
    Deliver,

    /// <summary>A message was lost.</summary>
    Drop,

    /// <summary>A publisher's application broadcast something.</summary>
    Broadcast,

    /// <summary>A publisher holds a certificate: the publish is complete (P5).</summary>
    Certified,

    /// <summary>A witness stored a tip (W7).</summary>
    Stored,

    /// <summary>A receiver's application was given a batch.</summary>
    Delivered,

    /// <summary>A record is durable.</summary>
    Durable,

    Evidence,

    Crash,

    Restart,

    DiskFault,

    Clock,

    Partition,

    /// <summary>What an adversary did.</summary>
    Attack,

    /// <summary>The chaos is over: the core heals.</summary>
    Heal,

    /// <summary>A named point that a run should reach sometimes.</summary>
    Probe,

    Note,

    /// <summary>A checker's finding.</summary>
    Violation,
}

/// <summary>One event of a run.</summary>
/// <param name="Index">Its place in the run's order.</param>
/// <param name="At">Virtual time. Unit: nanoseconds since the start of the run.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Party">To whom; an index into the run's parties; −1 for the world.</param>
/// <param name="Other">The other party of a message; −1 when there is none.</param>
/// <param name="Message">Numbers a message, a duplicate has its own; 0 when there is none.</param>
/// <param name="Text">For people.</param>
public readonly record struct TraceEvent(long Index, long At, TraceKind Kind, int Party, int Other, long Message, string Text);
