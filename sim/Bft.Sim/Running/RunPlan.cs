namespace Bft.Sim;

/// <summary>What a Byzantine witness is made of.</summary>
public enum AdversaryKind
{
    /// <summary>Two unmodified instances of one identity, each shown to a part of the cluster.</summary>
    Twins,

    /// <summary>A witness whose messages are bent one by one: other numbers, stale replays, omissions, doubles, to a subset.</summary>
    Mutator,

    /// <summary>A party that follows a script with the others of its kind, and reads honest traffic.</summary>
    Colluder,

    /// <summary>It says nothing at all.</summary>
    Silent,
}

/// <summary>Everything about a run but its seed: the cluster, its load, and the weights of its faults. Read from YAML, or drawn by a profile.</summary>
/// <remarks>Weights are parts per million of the occasions that they name; 0 switches a fault off. Times are virtual.</remarks>
public sealed record RunPlan
{
    /// <summary>n, from 4 to 13.</summary>
    public int Witnesses { get; init; } = 4;

    /// <summary>Byzantine witnesses; at most f, except beyond-f.</summary>
    public IReadOnlyList<AdversaryKind> Byzantine { get; init; } = [];

    /// <summary>Correct publishers.</summary>
    public int Publishers { get; init; } = 1;

    /// <summary>Publishers that sign whatever helps a fork.</summary>
    public int ByzantinePublishers { get; init; }

    public int Receivers { get; init; } = 1;

    /// <summary>Receivers that flood, lie and never read.</summary>
    public int ByzantineReceivers { get; init; }

    /// <summary>Topics; publishers and receivers are spread over them.</summary>
    public int Topics { get; init; } = 1;

    /// <summary>W.</summary>
    public int WindowSlots { get; init; } = 16;

    /// <summary>K: live incarnations of a publisher in a topic.</summary>
    public int LiveIncarnations { get; init; } = 8;

    /// <summary>Batches of all correct publishers together.</summary>
    public int Broadcasts { get; init; } = 40;

    public int MessagesPerBatch { get; init; } = 1;

    /// <summary>Payload of a message. Unit: bytes.</summary>
    public int PayloadBytes { get; init; } = 16;

    /// <summary>Mean time between two batches of a publisher. Unit: microseconds.</summary>
    public int BroadcastEveryMicroseconds { get; init; } = 20_000;

    /// <summary>The hosts' tick. Unit: milliseconds.</summary>
    public int TickMilliseconds { get; init; } = 50;

    /// <summary>How long chaos lasts before the core heals. Unit: milliseconds.</summary>
    public int ChaosMilliseconds { get; init; } = 5_000;

    /// <summary>After the chaos: validity and totality must hold within this time. Unit: milliseconds; 0 derives it from the plan.</summary>
    public int HealMilliseconds { get; init; }

    /// <summary>After all that is due has happened: so long nothing wrong may happen. Unit: milliseconds.</summary>
    public int QuietMilliseconds { get; init; } = 5_000;

    /// <summary>Connections keep order and lose nothing but by breaking, as TCP does; otherwise each message fends for itself.</summary>
    public bool IsOrdered { get; init; } = true;

    /// <summary>Unit: microseconds.</summary>
    public int DelayMinMicroseconds { get; init; } = 50;

    /// <summary>Unit: microseconds.</summary>
    public int DelayMaxMicroseconds { get; init; } = 1_000;

    /// <summary>Messages that take up to a hundred times as long.</summary>
    public int DelayTailPpm { get; init; }

    /// <summary>Messages lost; with <see cref="IsOrdered"/> the connection breaks there.</summary>
    public int LossPpm { get; init; }

    public int DuplicatePpm { get; init; }

    /// <summary>Messages that come once more up to half a minute later, on another connection perhaps.</summary>
    public int OldDuplicatePpm { get; init; }

    /// <summary>Per party and tick: it is cut off from some others, in one direction or both, for a while.</summary>
    public int PartitionPpm { get; init; }

    /// <summary>Per party and tick.</summary>
    public int CrashPpm { get; init; }

    /// <summary>Per commit of a witness: it dies at a write, a flush, or among the messages that follow.</summary>
    public int CrashAtCommitPpm { get; init; }

    /// <summary>Whole-cluster crashes, per tick.</summary>
    public int CrashAllPpm { get; init; }

    /// <summary>How long a crashed party stays down at most. Unit: milliseconds.</summary>
    public int DownMilliseconds { get; init; } = 1_000;

    /// <summary>Per crash: it never comes back (it counts against f).</summary>
    public int GoneForEverPpm { get; init; }

    /// <summary>At a crash unflushed sectors are lost, kept or torn by lot; else all are kept (a killed process).</summary>
    public int PowerCutPpm { get; init; } = 500_000;

    /// <summary>Time of a write and flush. Unit: microseconds, at most.</summary>
    public int DiskMicroseconds { get; init; } = 300;

    /// <summary>Per commit: EIO at a write or flush.</summary>
    public int DiskFailPpm { get; init; }

    /// <summary>Per commit: the disk is full for a while.</summary>
    public int DiskFullPpm { get; init; }

    /// <summary>Per restart, against f: a bit of a closed file is flipped.</summary>
    public int BitRotPpm { get; init; }

    /// <summary>Per restart, against f: a sector holds what was written elsewhere.</summary>
    public int MisdirectedPpm { get; init; }

    /// <summary>Per restart, against f: the disk is as it was at an earlier start.</summary>
    public int RollBackPpm { get; init; }

    /// <summary>Per restart, against f: the disk is empty.</summary>
    public int WipePpm { get; init; }

    /// <summary>Per publisher and tick, beside <see cref="CrashPpm"/>.</summary>
    public int PublisherCrashPpm { get; init; }

    /// <summary>Per restart of a publisher: its journal is lost (P7).</summary>
    public int PublisherWipePpm { get; init; }

    /// <summary>Per restart of a publisher: its journal is as it was at an earlier start (P7). It counts as faulty then.</summary>
    public int PublisherRollBackPpm { get; init; }

    /// <summary>P6: publishers begin a new incarnation when one witness calls for it and nothing is covered for so long. Unit: ticks.</summary>
    public int RetiredTicks { get; init; } = 100;

    /// <summary>Clocks differ by up to so much. Unit: milliseconds.</summary>
    public int ClockSkewMilliseconds { get; init; }

    /// <summary>Per party and tick: its clock jumps, at most an hour.</summary>
    public int ClockJumpPpm { get; init; }

    /// <summary>Per party and tick: it does nothing for up to five seconds, then all at once.</summary>
    public int PausePpm { get; init; }

    /// <summary>A segment of a journal. Unit: bytes, at least 4 KiB.</summary>
    public int SegmentBytes { get; init; } = 64 * 1024;

    /// <summary>Bodies kept per topic. Unit: bytes; 0 keeps all.</summary>
    public int RetainBytes { get; init; }

    /// <summary>Per witness and tick: it makes a checkpoint, whether much was cut or not.</summary>
    public int CheckpointPpm { get; init; }

    /// <summary>Per tick of one witness: something certified that it stores rots in a segment that nothing is written to any more. It stays correct, and others repair it.</summary>
    public int StoreRotPpm { get; init; }

    /// <summary>Receivers commit so many milliseconds after delivery, at most.</summary>
    public int TakeMilliseconds { get; init; } = 5;

    /// <summary>Per delivery, in the chaos: the receiver's application takes nothing for up to nine seconds (R6).</summary>
    public int NapPpm { get; init; }

    /// <summary>A receiver's queue; a witness has twice as much on its way to one reader. Unit: bytes.</summary>
    public int QueueBytes { get; init; } = 16 * 1024;

    /// <summary>Ed25519 instead of the registry.</summary>
    public bool RealSignatures { get; init; }

    /// <summary>f: what the protocol tolerates of n. The simulator's own arithmetic, on purpose.</summary>
    public int FaultyMax => (Witnesses - 1) / 3;
}
