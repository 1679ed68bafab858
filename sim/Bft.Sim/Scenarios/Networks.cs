namespace Bft.Sim;

/// <summary>What networks, clocks and slow machines do.</summary>
internal static class Networks
{
    private static readonly RunPlan Small = new() { Publishers = 2, Receivers = 2, Broadcasts = 30, BroadcastEveryMicroseconds = 200_000 };

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("one-way-partition-for-ever", "a witness hears all and is heard by nobody, for ever", Small, "one-way cut") { Direct = OneWay },
        new("swizzle-clog", "witnesses are cut off one after the other, and come back in another order", Small with { ChaosMilliseconds = 10_000 }, "all cut off") { Direct = Swizzle },
        new("loss-and-duplicates", "30 % loss and 50 % duplicates through a one-slot window", Small with { IsOrdered = false, LossPpm = 300_000, DuplicatePpm = 500_000, WindowSlots = 1, Broadcasts = 15 }, "broadcast certified in the chaos") { Direct = Certified },
        new("very-old-duplicates", "messages come again when retention has long cut what they are about", Small with { OldDuplicatePpm = 30_000, RetainBytes = 1_000, ChaosMilliseconds = 30_000, Broadcasts = 60, BroadcastEveryMicroseconds = 100_000 }, "old duplicate"),
        new("clocks", "clocks are minutes apart, and jump back and forth by up to an hour", Small with { ClockSkewMilliseconds = 300_000, ClockJumpPpm = 20_000 }, "clock an hour back") { Direct = ClockBack },
        new("long-pause", "machines stand still for seconds, then all that waits comes at once", Small with { PausePpm = 10_000, ChaosMilliseconds = 10_000, PayloadBytes = 2_000, BroadcastEveryMicroseconds = 50_000, Broadcasts = 60 }, "broadcast certified in the chaos") { Direct = Certified },
        new("slow-consumer", "a receiver's application takes its time; its subscription ends and resumes", Small with { NapPpm = 150_000, QueueBytes = 2_048, PayloadBytes = 2_000, ChaosMilliseconds = 30_000, Broadcasts = 60, BroadcastEveryMicroseconds = 200_000 }, "slow consumer resumed"),
        new("slow-loris", "f witnesses say everything just before one would give them up", Small with { Byzantine = [AdversaryKind.Mutator] }, "broadcast certified in the chaos") { Direct = Trickle },
        new("certified-under-partition", "links come and go while broadcasts go on", Small with { PartitionPpm = 20_000, ChaosMilliseconds = 10_000, BroadcastEveryMicroseconds = 300_000 }, "certified under partition"),
    ];

    private static void OneWay(Stage stage)
    {
        WitnessParty witness = stage.Correct[0];
        stage.Cluster.LeaveOut(witness);
        stage.At(500, () =>
        {
            foreach (Party other in stage.Cluster.All)
            {
                stage.Cluster.Network.Cut(witness.Id, other.Id, long.MaxValue);
            }

            stage.Reached("one-way cut");
        });
    }

    private static void Swizzle(Stage stage)
    {
        int count = 0;
        stage.At(300, () =>
        {
            Lot lot = stage.Lot;
            foreach (WitnessParty witness in stage.Correct)
            {
                stage.At((int)lot.Between(0, 3_000), () =>
                {
                    int until = (int)lot.Between(1_000, 5_000);
                    foreach (Party other in stage.Cluster.All.Where(other => other != witness))
                    {
                        stage.Cut(witness, other, until);
                        stage.Cut(other, witness, until);
                    }

                    if (++count == stage.Correct.Length)
                    {
                        stage.Reached("all cut off");
                    }
                });
            }
        });
    }

    private static void Certified(Stage stage)
    {
        int all = stage.Cluster.Plan.Broadcasts;
        stage.When(
            () => stage.Cluster.Publishers.Where(publisher => publisher.IsUp).Sum(publisher => publisher.Left + publisher.InFlight) < all - 3,
            () => stage.Reached("broadcast certified in the chaos"));
    }

    private static void ClockBack(Stage stage) => stage.When(() => stage.Cluster.All.Any(party => party.ClockOffset < -1_800_000), () => stage.Reached("clock an hour back"));

    private static void Trickle(Stage stage)
    {
        foreach (MutatorWitness witness in stage.Cluster.All.OfType<MutatorWitness>())
        {
            witness.Trickles = true;
        }

        Certified(stage);
    }
}
