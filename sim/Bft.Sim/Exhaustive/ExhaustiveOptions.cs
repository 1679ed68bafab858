namespace Bft.Sim.SmallScope;

/// <summary>What the publisher of the one stream is.</summary>
public enum SmallPublisher
{
    /// <summary>One batch per slot, each on the one before it.</summary>
    Correct,

    /// <summary>Two values in each slot, in two chains from slot 0 on, shown to whomever it likes.</summary>
    Forking,
}

/// <summary>A mistake made on purpose around the product classes: a search that does not find it is worth nothing.</summary>
public enum SmallFault
{
    None,

    /// <summary>W1: the journal's host calls a commit durable when it has only been sealed.</summary>
    CallsSealedDurable,

    /// <summary>W1, W9: a restart does not bring back what was acked and not certified yet.</summary>
    ForgetsAcks,

    /// <summary>W7: a restart does not bring certificates back.</summary>
    ForgetsCertificates,

    /// <summary>W9: a restarted witness never signs its acks again, and a peer that connects is told nothing.</summary>
    TellsPeersNothing,
}

/// <summary>A scope that is searched whole: one stream, few slots, at most f Byzantine witnesses who ack whatever helps them.</summary>
public sealed record ExhaustiveOptions
{
    /// <summary>Witnesses. <value>Default 4, from 4 to 7.</value></summary>
    public int Witnesses { get; init; } = 4;

    /// <summary>Byzantine ones among them: silent, or acking any known batch from any base to anybody. <value>Default 1; more than f is the positive control.</value></summary>
    public int Byzantine { get; init; } = 1;

    /// <summary>Slots of the stream, which is also its window. <value>Default 1, from 1 to 3.</value></summary>
    public int Slots { get; init; } = 1;

    public SmallPublisher Publisher { get; init; }

    /// <summary>Crashes of all witnesses together, each at any effect boundary, each losing any suffix of what was not flushed. <value>Default 1.</value></summary>
    public int Crashes { get; init; } = 1;

    /// <summary>Ticks of the clock that each witness may see. <value>Default 0: no timers.</value></summary>
    public int Ticks { get; init; }

    /// <summary>
    /// Steps that send nothing are taken only as far as something that is sent needs them (why that loses nothing: <see cref="Closures"/>).
    /// <value>Default true; false visits each interleaving's states one by one.</value>
    /// </summary>
    public bool IsReduced { get; init; } = true;

    /// <summary>From each state the network is also healed, and validity and totality must come about. <value>Default true.</value></summary>
    public bool IsHealed { get; init; } = true;

    public SmallFault Fault { get; init; }

    /// <summary><value>Default 2.</value></summary>
    public int Threads { get; init; } = 2;

    /// <summary>Where the search stops and says how far it came. Unit: states. <value>Default 30 million, about 1.5 GiB.</value></summary>
    public long StatesMax { get; init; } = 30_000_000;

    /// <summary>The same for the states of a single witness, which are dearer. <value>Default 1.5 million, about 1 GiB.</value></summary>
    public int WitnessStatesMax { get; init; } = 1_500_000;

    /// <summary>The scope in words.</summary>
    public string Mode =>
        $"{Slots} broadcast{(Slots == 1 ? "" : "s")}, n = {Witnesses}, {Byzantine} Byzantine, {Publisher.ToString().ToLowerInvariant()} publisher, "
        + $"at most {Crashes} crash{(Crashes == 1 ? "" : "es")}, {(Ticks == 0 ? "no timers" : $"{Ticks} ticks")}{(IsReduced ? "" : ", every interleaving")}";

    /// <summary>What is wrong with this scope; null when it can be searched.</summary>
    public string? WhyIllegal() =>
        Witnesses is < 4 or > 7 ? "witnesses are 4 to 7."
        : Byzantine < 0 || Byzantine >= Witnesses - 1 ? "at least two witnesses are correct."
        : Slots is < 1 or > 3 ? "slots are 1 to 3."
        : Crashes is < 0 or > 8 || Ticks is < 0 or > 100 ? "crashes are 0 to 8, ticks 0 to 100."
        : Threads < 1 || StatesMax < 1 || WitnessStatesMax < 1 ? "threads and bounds are positive."
        : null;
}
