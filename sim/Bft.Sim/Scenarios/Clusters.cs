using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Sim;

/// <summary>Sizes, incarnations, copies.</summary>
internal static class Clusters
{
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("calm", "nothing goes wrong: four witnesses, two publishers, two receivers", new RunPlan { Publishers = 2, Receivers = 2 }, "broadcast certified") { Direct = Certified },
        Sized(5),
        Sized(6),
        Sized(8),
        Sized(9),
        new("two-publisher-processes-one-key", "a publisher's journal and key are copied, and both processes go on", new RunPlan { Publishers = 2, Receivers = 2, Broadcasts = 30, BroadcastEveryMicroseconds = 200_000 }, "copy noticed") { Direct = Copied },
        new("many-incarnations", "a publisher opens one incarnation after the other, each linked to the last", new RunPlan { ByzantinePublishers = 1, ChaosMilliseconds = 60_000, TickMilliseconds = 100, Broadcasts = 10 }, "incarnation retired (W11)") { Direct = Incarnations },
        new("retention-and-a-laggard", "bodies are cut while a witness is away: it adopts the others' floor", new RunPlan { RetainBytes = 400, Broadcasts = 80, BroadcastEveryMicroseconds = 100_000, ChaosMilliseconds = 15_000, WindowSlots = 4, SegmentBytes = 4_096 }, "a witness was away") { Direct = Laggard },
    ];

    private static Scenario Sized(int witnesses)
    {
        int faulty = (witnesses - 1) / 3;
        AdversaryKind[] kinds = [.. Enumerable.Repeat(AdversaryKind.Colluder, faulty)];
        RunPlan plan = new() { Witnesses = witnesses, Byzantine = kinds, ByzantinePublishers = 2, Receivers = 2, Broadcasts = 10, BroadcastEveryMicroseconds = 200_000, WindowSlots = 3 };
        return new Scenario($"size-{witnesses}", $"{witnesses} witnesses, {faulty} of them colluding: not 3f + 1", plan, "broadcast certified") { Direct = Certified };
    }

    private static void Certified(Stage stage) =>
        stage.When(() => stage.Cluster.Publishers.All(publisher => publisher.IsUp && publisher.Left + publisher.InFlight == 0), () => stage.Reached("broadcast certified"));

    private static void Copied(Stage stage)
    {
        PublisherParty publisher = stage.Cluster.Publishers.First();
        PublisherParty copy = stage.Cluster.Copy(publisher, 1_500);
        stage.When(() => publisher.IsEnded || copy.IsEnded, () => stage.Reached("copy noticed"));
    }

    private static void Incarnations(Stage stage)
    {
        ConspiringPublisher puppet = stage.Puppet;
        stage.Every(300, 3_000, () =>
        {
            Branch? last = puppet.Branches.Count > 0 ? puppet.Branches[^1] : null;
            Branch branch = last is null
                ? puppet.Begin(stage.Cluster.Topics[0], Sides.Both)
                : puppet.Begin(
                    stage.Cluster.Topics[0],
                    Sides.Both,
                    new Incarnation(last.Header.Incarnation.Counter + 1, 0),
                    Ancestor.Link(last.Header.Incarnation, last.Batches[0].Sequence, last.Batches[0].Digest));
            puppet.Send(puppet.Extend(branch), puppet.CorrectWitnesses);
            puppet.Note("one more incarnation");
        });
    }

    private static void Laggard(Stage stage)
    {
        WitnessParty witness = stage.Correct[0];
        stage.At(500, () => stage.Cluster.Faults.Crash(witness, isPowerCut: false, 11_000));
        stage.When(() => witness.Life > 2 && witness.IsUp, () => stage.Reached("a witness was away"));
    }
}
