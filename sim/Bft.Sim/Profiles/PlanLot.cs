namespace Bft.Sim;

/// <summary>What a profile decides; each has chance of its own, so that a new one moves none of the others.</summary>
/// <remarks>Numbers stand for entities of the stream Plan: never change one, add at the end.</remarks>
internal enum Knob
{
    Witnesses,
    Publishers,
    Receivers,
    Topics,
    Window,
    Broadcasts,
    Messages,
    Payload,
    Burst,
    Tick,
    Chaos,
    Delay,
    DiskTime,
    Take,
    Segment,
    SkewIsOn,
    Skew,
    JumpIsOn,
    Jump,
    PauseIsOn,
    Pause,
    RetainIsOn,
    Retain,
    RealSignatures,
    Ordered,
    LossIsOn,
    Loss,
    DuplicateIsOn,
    Duplicate,
    TailIsOn,
    Tail,
    PartitionIsOn,
    Partition,
    CrashIsOn,
    Crash,
    CrashAtCommitIsOn,
    CrashAtCommit,
    CrashAllIsOn,
    CrashAll,
    Down,
    GoneIsOn,
    Gone,
    PowerCut,
    DiskFailIsOn,
    DiskFail,
    DiskFullIsOn,
    DiskFull,
    BitRotIsOn,
    BitRot,
    MisdirectedIsOn,
    Misdirected,
    RollBackIsOn,
    RollBack,
    WipeIsOn,
    Wipe,
    ByzantineIsOn,
    Byzantine,
    ByzantineCount,
    ByzantineKinds,
    OneKind,
    ByzantinePublisherIsOn,
    ByzantinePublishers,
    ByzantineReceiverIsOn,
    Quiet,
    OldDuplicateIsOn,
    OldDuplicate,
    CheckpointIsOn,
    Checkpoint,
    LiveIncarnations,
    PublisherWipeIsOn,
    PublisherWipe,
    PublisherRollBackIsOn,
    PublisherRollBack,
    PublisherCrashIsOn,
    PublisherCrash,
    NapIsOn,
    Nap,
    Queue,
    Retired,
    StoreRotIsOn,
    StoreRot,
}

/// <summary>The chance of a plan: stream Plan of the run's own seed.</summary>
internal sealed class PlanLot(ulong seed)
{
    public int Between(Knob knob, int low, int high) => (int)Of(knob).Between(low, high);

    public T Of<T>(Knob knob, params ReadOnlySpan<T> items) => items[Of(knob).Below(items.Length)];

    /// <summary>True in <paramref name="part"/> of <paramref name="whole"/> seeds.</summary>
    public bool Sometimes(Knob knob, int part, int whole) => Of(knob).Below(whole) < part;

    public bool SometimesNth(Knob knob, int index, int part, int whole) => Nth(knob, index).Below(whole) < part;

    public T OfNth<T>(Knob knob, int index, IReadOnlyList<T> items) => Nth(knob, index).Of(items);

    /// <summary>A weight: its order of magnitude is drawn, so that rare is as usual as frequent.</summary>
    public int Ppm(Knob knob, int low, int high)
    {
        Lot lot = Of(knob);
        int doublings = 0;
        while ((long)Math.Max(low, 1) << doublings < high)
        {
            doublings++;
        }

        long top = Math.Min(high, (long)Math.Max(low, 1) << lot.Below(doublings + 1));
        return (int)lot.Between(Math.Min(low, top), top);
    }

    private static int Entity(Knob knob) => (int)knob;

    private Lot Of(Knob knob) => Nth(knob, 0);

    private Lot Nth(Knob knob, int index) => new(seed, new ChoiceId(ChoiceStream.Plan, Entity(knob), index));
}
