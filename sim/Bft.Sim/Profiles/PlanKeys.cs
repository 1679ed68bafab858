using System.Globalization;
using System.Reflection;
using System.Text.Json;

namespace Bft.Sim;

/// <summary>One number or switch of a plan, as a plan file names it.</summary>
/// <param name="Property">Of <see cref="RunPlan"/>.</param>
/// <param name="Min">Smallest that is legal.</param>
/// <param name="Max">Largest that is legal.</param>
/// <param name="Mild">Where shrinking goes: the value that makes a run simpler.</param>
/// <param name="Comment">For --print-plan.</param>
internal sealed record PlanKey(string Property, int Min, int Max, int Mild, string Comment)
{
    private readonly PropertyInfo _property = typeof(RunPlan).GetProperty(Property) ?? throw new ArgumentException($"A plan has no {Property}.", nameof(Property));

    /// <summary>In a file.</summary>
    public string Name { get; } = JsonNamingPolicy.CamelCase.ConvertName(Property);

    public bool IsSwitch => _property.PropertyType == typeof(bool);

    /// <summary>A weight: so many of a million occasions.</summary>
    public bool IsWeight => Property.EndsWith("Ppm", StringComparison.Ordinal);

    /// <summary>Its value; 0 and 1 for a switch.</summary>
    public int Get(RunPlan plan) => _property.GetValue(plan) switch { bool isOn => isOn ? 1 : 0, int number => number, _ => throw new InvalidOperationException(Property) };

    /// <summary>A plan with another value.</summary>
    public RunPlan With(RunPlan plan, int value)
    {
        RunPlan copy = plan with { };
        _property.SetValue(copy, IsSwitch ? value != 0 : value);
        return copy;
    }

    public string Text(RunPlan plan) => IsSwitch ? (Get(plan) == 0 ? "false" : "true") : Get(plan).ToString(CultureInfo.InvariantCulture);

    public string Range => IsSwitch ? "true or false" : string.Create(CultureInfo.InvariantCulture, $"{Min} to {Max}");
}

/// <summary>All keys of a plan file.</summary>
internal static class PlanKeys
{
    /// <summary>The one key whose value is a list.</summary>
    public const string Byzantine = "byzantine";

    private const int Million = 1_000_000;
    private const int Hour = 3_600_000;

    /// <summary>In the order of <see cref="RunPlan"/>; <see cref="Byzantine"/> comes after the first.</summary>
    public static IReadOnlyList<PlanKey> All { get; } =
    [
        new("Witnesses", 4, 13, 4, "n; f = (n − 1) / 3 of them may be faulty"),
        new("Publishers", 0, 8, 1, "correct publishers"),
        new("ByzantinePublishers", 0, 4, 0, "publishers that sign whatever helps a fork"),
        new("Receivers", 0, 8, 1, "receivers, each with an application and a cursor"),
        new("ByzantineReceivers", 0, 4, 0, "receivers that hand over garbage and hold connections"),
        new("Topics", 1, 8, 1, "publishers and receivers are spread over them"),
        new("WindowSlots", 1, 1024, 16, "W: slots of a stream in flight"),
        new("LiveIncarnations", 2, 1024, 8, "K: live incarnations of a publisher in a topic"),
        new("Broadcasts", 0, 100_000, 1, "batches of all correct publishers together"),
        new("MessagesPerBatch", 1, 1_000, 1, "messages in a batch"),
        new("PayloadBytes", 0, 65_536, 16, "bytes of a message"),
        new("BroadcastEveryMicroseconds", 1, 60 * Million, 20_000, "µs, mean time between two batches of a publisher"),
        new("TickMilliseconds", 1, 1_000, 50, "ms, the tick of every host"),
        new("ChaosMilliseconds", 0, 24 * Hour, 1_000, "ms of chaos, before the core heals"),
        new("HealMilliseconds", 0, 24 * Hour, 0, "ms after the chaos in which validity and totality must hold; 0 derives it from the rest"),
        new("QuietMilliseconds", 0, 24 * Hour, 0, "ms that the run goes on when all that was due has happened"),
        new("IsOrdered", 0, 1, 1, "true: connections keep order and lose nothing but by breaking, as TCP; false: each message fends for itself"),
        new("DelayMinMicroseconds", 0, 10 * Million, 50, "µs, the shortest way of a message"),
        new("DelayMaxMicroseconds", 0, 10 * Million, 1_000, "µs, the longest way of a usual message"),
        new("DelayTailPpm", 0, Million, 0, "ppm of messages that take up to a hundred times as long"),
        new("LossPpm", 0, Million, 0, "ppm of messages lost; with isOrdered the connection breaks there"),
        new("DuplicatePpm", 0, Million, 0, "ppm of messages that arrive twice (not with isOrdered)"),
        new("OldDuplicatePpm", 0, Million, 0, "ppm of messages that come once more up to half a minute later"),
        new("PartitionPpm", 0, Million, 0, "ppm per party and tick: cut off from some, in one direction or both, for a while"),
        new("CrashPpm", 0, Million, 0, "ppm per party and tick: it crashes"),
        new("CrashAtCommitPpm", 0, Million, 0, "ppm per commit: it dies at a write, a flush, or among the messages that follow"),
        new("CrashAllPpm", 0, Million, 0, "ppm per tick: all crash at once"),
        new("DownMilliseconds", 1, Hour, 1_000, "ms, the longest time down after a crash"),
        new("GoneForEverPpm", 0, Million, 0, "ppm of crashes after which a witness never comes back (counts against f)"),
        new("PowerCutPpm", 0, Million, 0, "ppm of crashes at which unflushed sectors are lost, kept or torn by lot; else all are kept"),
        new("DiskMicroseconds", 1, 10 * Million, 300, "µs, the longest time of a write and flush"),
        new("DiskFailPpm", 0, Million, 0, "ppm per commit: EIO at a write or flush"),
        new("DiskFullPpm", 0, Million, 0, "ppm per commit: the disk is full for a while"),
        new("BitRotPpm", 0, Million, 0, "ppm per restart: a bit of a closed file is flipped (counts against f)"),
        new("MisdirectedPpm", 0, Million, 0, "ppm per restart: a sector holds what was written elsewhere (counts against f)"),
        new("RollBackPpm", 0, Million, 0, "ppm per restart: the disk is as it was at an earlier start (counts against f)"),
        new("WipePpm", 0, Million, 0, "ppm per restart: the disk is empty (counts against f)"),
        new("PublisherCrashPpm", 0, Million, 0, "ppm per publisher and tick: it crashes, beside crashPpm"),
        new("PublisherWipePpm", 0, Million, 0, "ppm per restart of a publisher: its journal is lost"),
        new("PublisherRollBackPpm", 0, Million, 0, "ppm per restart of a publisher: its journal is as it was at an earlier start (it counts as faulty then)"),
        new("RetiredTicks", 1, 10_000, 100, "ticks without a covered batch until one witness's word is enough for a new incarnation"),
        new("ClockSkewMilliseconds", 0, 24 * Hour, 0, "ms, how far clocks differ at most"),
        new("ClockJumpPpm", 0, Million, 0, "ppm per party and tick: its clock jumps, at most an hour"),
        new("PausePpm", 0, Million, 0, "ppm per party and tick: it does nothing for up to 5 s, then all at once"),
        new("SegmentBytes", 4_096, 256 * 1_048_576, 65_536, "bytes of a journal's segment"),
        new("RetainBytes", 0, int.MaxValue, 0, "bytes of bodies kept per topic; 0 keeps all"),
        new("StoreRotPpm", 0, Million, 0, "ppm per tick of one witness: a bit of something certified flips in a closed segment, and is repaired by peers"),
        new("CheckpointPpm", 0, Million, 0, "ppm per witness and tick: it makes a checkpoint, whether much was cut or not"),
        new("TakeMilliseconds", 0, Hour, 5, "ms, the longest time from a delivery to the application's commit"),
        new("NapPpm", 0, Million, 0, "ppm of deliveries after which the application takes nothing for up to 9 s"),
        new("QueueBytes", 64, 1_048_576, 16_384, "bytes of a receiver's queue; a witness has twice as much on its way to one reader"),
        new("RealSignatures", 0, 1, 0, "true: Ed25519; false: a registry of who signed what, as safe and much faster"),
    ];

    /// <summary>What is wrong with a plan; null when it is legal.</summary>
    public static string? WhyIllegal(RunPlan plan) =>
        All.FirstOrDefault(key => key.Get(plan) < key.Min || key.Get(plan) > key.Max) is { } key ? $"{key.Name} is {key.Range}, not {key.Text(plan)}"
            : plan.Byzantine.Count > plan.Witnesses ? $"{Byzantine} names {plan.Byzantine.Count} of {plan.Witnesses} witnesses"
            : plan.DelayMinMicroseconds > plan.DelayMaxMicroseconds ? "delayMinMicroseconds is above delayMaxMicroseconds"
            : null;
}
