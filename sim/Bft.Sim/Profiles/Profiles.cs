namespace Bft.Sim;

/// <summary>Ways to draw a plan from a seed, each with its weights on something else.</summary>
internal static class Profiles
{
    public const string Default = "swarm";

    /// <summary>Not drawn from seeds: a search of its own.</summary>
    public const string Exhaustive = "exhaustive";

    public const string BeyondF = "beyond-f";

    /// <summary>In the order of --help.</summary>
    public static IReadOnlyList<(string Name, string Line)> All { get; } =
    [
        ("quick", "small and mild, four witnesses; a first look"),
        ("swarm", "everything, with wild weights; a random subset of fault kinds is off"),
        ("network", "loss, duplicates, tails, partitions"),
        ("storage", "crashes, power cuts, torn and lost writes, refusing, full, rotten and rolled-back disks"),
        ("byzantine", "f Byzantine witnesses and Byzantine publishers"),
        ("liveness", "faults that never heal around a core that does"),
        (BeyondF, "f + 1 or more Byzantine witnesses: violations are expected, false accusations are not"),
        (Exhaustive, "n = 4: all delivery orders and crashes of a small scope; takes no seeds"),
    ];

    /// <summary>The plan of a seed: the same on every machine.</summary>
    /// <param name="name">One of <see cref="All"/>, but <see cref="Exhaustive"/>.</param>
    /// <param name="seed">All chance.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such profile.</exception>
    public static RunPlan Draw(string name, ulong seed)
    {
        PlanLot lot = new(seed);
        RunPlan cluster = Cluster(lot);
        return name switch
        {
            "quick" => Quick(lot),
            "swarm" => Adversarial(lot, Disks(lot, Crashes(lot, Network(lot, Odds(lot, cluster), half: true), half: true), half: true), half: true),
            "network" => Network(lot, cluster, half: false) with { CrashPpm = lot.Ppm(Knob.Crash, 0, 1_000) },
            "storage" => Retaining(lot, Disks(lot, Crashes(lot, Odds(lot, Network(lot, cluster, half: true)), half: false), half: false)),
            "byzantine" => Adversarial(lot, Network(lot, cluster, half: true) with { CrashPpm = lot.Sometimes(Knob.CrashIsOn, 1, 3) ? 2_000 : 0 }, half: false),
            "liveness" => Liveness(lot, Network(lot, cluster, half: true)),
            BeyondF => Beyond(lot, Network(lot, cluster, half: true)),
            _ => throw new ArgumentOutOfRangeException(nameof(name), name, "There is no such profile."),
        };
    }

    /// <summary>Size and load. Short, so that many runs fit in a second; long enough in virtual time that back-off, catch-up and healing happen.</summary>
    private static RunPlan Cluster(PlanLot lot)
    {
        int chaos = lot.Between(Knob.Chaos, 4_000, 16_000);
        int broadcasts = lot.Of(Knob.Broadcasts, 2, 3, 4, 5, 6, 8, 8, 10, 16, 30);
        int publishers = lot.Of(Knob.Publishers, 1, 1, 1, 2, 2, 3);
        return new RunPlan
        {
            Witnesses = lot.Of(Knob.Witnesses, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 7, 7, 8, 9, 10, 13),
            Publishers = publishers,
            Receivers = lot.Of(Knob.Receivers, 1, 1, 1, 2, 2, 3),
            Topics = lot.Of(Knob.Topics, 1, 1, 1, 2),
            WindowSlots = lot.Of(Knob.Window, 1, 2, 3, 4, 16, 16, 64),
            LiveIncarnations = lot.Of(Knob.LiveIncarnations, 8, 8, 3, 2),
            Broadcasts = broadcasts,
            MessagesPerBatch = lot.Of(Knob.Messages, 1, 1, 1, 3),
            PayloadBytes = lot.Of(Knob.Payload, 16, 16, 200, 2_000),
            // Bursts at the start of the chaos, or spread over the most of it.
            BroadcastEveryMicroseconds = lot.Sometimes(Knob.Burst, 1, 4) ? 2_000 : Math.Max(1_000, (int)(chaos * 700L * publishers / broadcasts)),
            TickMilliseconds = lot.Of(Knob.Tick, 50, 100, 100, 200),
            ChaosMilliseconds = chaos,
            QuietMilliseconds = lot.Between(Knob.Quiet, 10_000, 20_000),
            DelayMaxMicroseconds = lot.Of(Knob.Delay, 500, 1_000, 5_000, 50_000),
            DiskMicroseconds = lot.Of(Knob.DiskTime, 100, 300, 1_000, 20_000),
            TakeMilliseconds = lot.Of(Knob.Take, 1, 5, 50, 1_000),
            SegmentBytes = lot.Of(Knob.Segment, 4_096, 4_096, 16_384, 65_536),
        };
    }

    private static RunPlan Quick(PlanLot lot) => new()
    {
        Byzantine = lot.Sometimes(Knob.Byzantine, 1, 2) ? [lot.Of(Knob.ByzantineKinds, AdversaryKind.Silent, AdversaryKind.Mutator, AdversaryKind.Twins)] : [],
        Publishers = lot.Between(Knob.Publishers, 1, 2),
        Receivers = 2,
        Broadcasts = lot.Between(Knob.Broadcasts, 5, 20),
        BroadcastEveryMicroseconds = 50_000,
        ChaosMilliseconds = 3_000,
        LossPpm = lot.Ppm(Knob.Loss, 0, 5_000),
        CrashPpm = lot.Ppm(Knob.Crash, 0, 2_000),
    };

    /// <summary>Rare things that go with everything: clocks, pauses, publishers without their journals, retention, real signatures.</summary>
    private static RunPlan Odds(PlanLot lot, RunPlan plan) => plan with
    {
        NapPpm = lot.Sometimes(Knob.NapIsOn, 1, 4) ? lot.Ppm(Knob.Nap, 20_000, 300_000) : 0,
        QueueBytes = lot.Of(Knob.Queue, 16_384, 16_384, 2_048, 256),
        PublisherCrashPpm = lot.Sometimes(Knob.PublisherCrashIsOn, 1, 3) ? lot.Ppm(Knob.PublisherCrash, 2_000, 60_000) : 0,
        PublisherWipePpm = lot.Sometimes(Knob.PublisherWipeIsOn, 1, 3) ? lot.Ppm(Knob.PublisherWipe, 100_000, 900_000) : 0,
        PublisherRollBackPpm = lot.Sometimes(Knob.PublisherRollBackIsOn, 1, 4) ? lot.Ppm(Knob.PublisherRollBack, 100_000, 900_000) : 0,
        RetiredTicks = lot.Of(Knob.Retired, 100, 40),
        ClockSkewMilliseconds = lot.Sometimes(Knob.SkewIsOn, 1, 3) ? lot.Between(Knob.Skew, 1, 60_000) : 0,
        ClockJumpPpm = lot.Sometimes(Knob.JumpIsOn, 1, 4) ? lot.Ppm(Knob.Jump, 200, 3_000) : 0,
        PausePpm = lot.Sometimes(Knob.PauseIsOn, 1, 3) ? lot.Ppm(Knob.Pause, 200, 5_000) : 0,
        RetainBytes = lot.Sometimes(Knob.RetainIsOn, 1, 3) ? lot.Between(Knob.Retain, 200, 6_000) : 0,
        RealSignatures = lot.Sometimes(Knob.RealSignatures, 1, 40),
    };

    /// <summary>Cut often enough that checkpoints come while acks are not certified yet.</summary>
    private static RunPlan Retaining(PlanLot lot, RunPlan plan) => lot.Sometimes(Knob.RetainIsOn, 2, 3)
        ? plan with { RetainBytes = lot.Between(Knob.Retain, 500, 5_000), PayloadBytes = Math.Max(plan.PayloadBytes, 500) }
        : plan with { RetainBytes = 0 };

    private static RunPlan Network(PlanLot lot, RunPlan plan, bool half)
    {
        bool isOrdered = lot.Sometimes(Knob.Ordered, 1, 2);
        // A lost message of an ordered connection breaks it: the same weight would leave none standing.
        int lossMax = isOrdered ? 20_000 : 300_000;
        return plan with
        {
            IsOrdered = isOrdered,
            LossPpm = IsOn(Knob.LossIsOn) ? lot.Ppm(Knob.Loss, 500, lossMax) : 0,
            DuplicatePpm = IsOn(Knob.DuplicateIsOn) ? lot.Ppm(Knob.Duplicate, 1_000, 500_000) : 0,
            OldDuplicatePpm = IsOn(Knob.OldDuplicateIsOn) ? lot.Ppm(Knob.OldDuplicate, 1_000, 50_000) : 0,
            DelayTailPpm = IsOn(Knob.TailIsOn) ? lot.Ppm(Knob.Tail, 1_000, 100_000) : 0,
            PartitionPpm = IsOn(Knob.PartitionIsOn) ? lot.Ppm(Knob.Partition, 300, 10_000) : 0,
        };

        bool IsOn(Knob knob) => lot.Sometimes(knob, half ? 1 : 3, half ? 2 : 4);
    }

    private static RunPlan Crashes(PlanLot lot, RunPlan plan, bool half)
    {
        return plan with
        {
            CrashPpm = IsOn(Knob.CrashIsOn) ? lot.Ppm(Knob.Crash, 300, 10_000) : 0,
            CrashAtCommitPpm = IsOn(Knob.CrashAtCommitIsOn) ? lot.Ppm(Knob.CrashAtCommit, 1_000, 60_000) : 0,
            CrashAllPpm = lot.Sometimes(Knob.CrashAllIsOn, 1, 4) ? lot.Ppm(Knob.CrashAll, 1_000, 20_000) : 0,
            DownMilliseconds = lot.Of(Knob.Down, 50, 500, 3_000),
            GoneForEverPpm = lot.Sometimes(Knob.GoneIsOn, 1, 4) ? lot.Ppm(Knob.Gone, 50_000, 300_000) : 0,
            PowerCutPpm = lot.Of(Knob.PowerCut, 0, 300_000, 1_000_000),
        };

        bool IsOn(Knob knob) => lot.Sometimes(knob, half ? 1 : 3, half ? 2 : 4);
    }

    private static RunPlan Disks(PlanLot lot, RunPlan plan, bool half)
    {
        return plan with
        {
            DiskFailPpm = IsOn(Knob.DiskFailIsOn) ? lot.Ppm(Knob.DiskFail, 500, 20_000) : 0,
            DiskFullPpm = IsOn(Knob.DiskFullIsOn) ? lot.Ppm(Knob.DiskFull, 500, 10_000) : 0,
            BitRotPpm = IsOn(Knob.BitRotIsOn) ? lot.Ppm(Knob.BitRot, 50_000, 500_000) : 0,
            MisdirectedPpm = IsOn(Knob.MisdirectedIsOn) ? lot.Ppm(Knob.Misdirected, 50_000, 500_000) : 0,
            RollBackPpm = IsOn(Knob.RollBackIsOn) ? lot.Ppm(Knob.RollBack, 50_000, 500_000) : 0,
            CheckpointPpm = lot.Sometimes(Knob.CheckpointIsOn, 1, half ? 3 : 2) ? lot.Ppm(Knob.Checkpoint, 1_000, 100_000) : 0,
            StoreRotPpm = lot.Sometimes(Knob.StoreRotIsOn, 1, half ? 5 : 3) ? lot.Ppm(Knob.StoreRot, 1_000, 100_000) : 0,
            WipePpm = IsOn(Knob.WipeIsOn) ? lot.Ppm(Knob.Wipe, 50_000, 500_000) : 0,
        };

        bool IsOn(Knob knob) => lot.Sometimes(knob, 1, half ? 4 : 2);
    }

    /// <summary>f Byzantine witnesses mostly, and publishers that help them.</summary>
    private static RunPlan Adversarial(PlanLot lot, RunPlan plan, bool half)
    {
        bool isOn = lot.Sometimes(Knob.ByzantineIsOn, half ? 1 : 9, half ? 2 : 10);
        int count = !isOn ? 0 : lot.Sometimes(Knob.Byzantine, 3, 4) ? plan.FaultyMax : lot.Between(Knob.ByzantineCount, 0, plan.FaultyMax);
        return plan with
        {
            Byzantine = Kinds(lot, count),
            ByzantinePublishers = isOn && lot.Sometimes(Knob.ByzantinePublisherIsOn, 2, 3) ? lot.Between(Knob.ByzantinePublishers, 1, 2) : 0,
            ByzantineReceivers = isOn && lot.Sometimes(Knob.ByzantineReceiverIsOn, 1, 4) ? 1 : 0,
        };
    }

    private static RunPlan Liveness(PlanLot lot, RunPlan plan) => Crashes(lot, plan, half: true) with
    {
        // Whatever is gone, cut or silent stays so; the core must do without.
        Byzantine = [.. Enumerable.Repeat(AdversaryKind.Silent, lot.Between(Knob.ByzantineCount, 0, plan.FaultyMax)).Select((kind, i) => lot.SometimesNth(Knob.ByzantineKinds, i, 1, 2) ? kind : AdversaryKind.Colluder)],
        ByzantinePublishers = lot.Sometimes(Knob.ByzantinePublisherIsOn, 1, 3) ? 1 : 0,
        GoneForEverPpm = lot.Ppm(Knob.Gone, 0, 500_000),
        RetainBytes = lot.Sometimes(Knob.RetainIsOn, 1, 3) ? lot.Between(Knob.Retain, 200, 6_000) : 0,
    };

    private static RunPlan Beyond(PlanLot lot, RunPlan plan)
    {
        int count = Math.Min(plan.FaultyMax + lot.Between(Knob.ByzantineCount, 1, 2), plan.Witnesses - 1);
        return plan with
        {
            Byzantine = [AdversaryKind.Twins, AdversaryKind.Twins, .. Kinds(lot, count - 2)],
            ByzantinePublishers = lot.Between(Knob.ByzantinePublishers, 1, 2),
        };
    }

    private static AdversaryKind[] Kinds(PlanLot lot, int count)
    {
        AdversaryKind[] all = [AdversaryKind.Twins, AdversaryKind.Twins, AdversaryKind.Mutator, AdversaryKind.Mutator, AdversaryKind.Colluder, AdversaryKind.Colluder, AdversaryKind.Silent];
        // Half of the seeds have one kind only: a mixture hides what needs f that act as one.
        return [.. Enumerable.Range(0, count).Select(i => lot.OfNth(Knob.ByzantineKinds, lot.Sometimes(Knob.OneKind, 1, 2) ? 0 : i, all))];
    }
}
