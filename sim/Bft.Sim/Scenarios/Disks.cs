namespace Bft.Sim;

/// <summary>What disks do.</summary>
internal static class Disks
{
    private static readonly RunPlan Small = new() { Publishers = 2, Receivers = 2, Broadcasts = 30, BroadcastEveryMicroseconds = 200_000, SegmentBytes = 4_096, DownMilliseconds = 500 };

    private static readonly RunPlan Seven = Small with { Witnesses = 7, Byzantine = [AdversaryKind.Colluder], ByzantinePublishers = 1, CrashPpm = 10_000 };

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("torn-tail", "the power goes in the middle of commits: torn tails are cut, and nothing acked is lost", Small with { CrashAtCommitPpm = 300_000, PowerCutPpm = 1_000_000, PayloadBytes = 700 }, "torn tail cut"),
        new("lost-writes", "power cuts while an equivocator is at work", Small with { Byzantine = [AdversaryKind.Colluder], ByzantinePublishers = 1, CrashPpm = 20_000, CrashAtCommitPpm = 20_000, PowerCutPpm = 1_000_000 }, "all witnesses restarted") { Direct = Restarted },
        new("bit-rot", "a bit of a journal flips between two lives", Small with { CrashPpm = 10_000, BitRotPpm = 1_000_000 }, "bit rot") { Direct = stage => Excused(stage, "bit rot") },
        new("store-rot", "what a witness stored long ago rots while it runs; its scrub finds it, and its peers repair it", Small with { StoreRotPpm = 40_000, CheckpointPpm = 20_000, CrashPpm = 3_000, Broadcasts = 60 }, "rot repaired"),
        new("misdirected-write", "a sector holds what belongs elsewhere", Small with { CrashPpm = 10_000, MisdirectedPpm = 1_000_000 }, "misdirected write") { Direct = stage => Excused(stage, "misdirected write") },
        new("failed-flush", "disks refuse writes and flushes; processes stop and start again", Small with { DiskFailPpm = 30_000 }, "a witness restarted") { Direct = RestartedOnce },
        new("full-disk", "disks are full for a while", Small with { DiskFullPpm = 30_000 }, "a witness restarted") { Direct = RestartedOnce },
        new("disk-rolled-back", "a witness starts with an old disk while an equivocator retries the other value", Seven with { RollBackPpm = 1_000_000 }, "disk rolled back") { Direct = stage => Excused(stage, "disk rolled back") },
        new("witness-wiped", "a witness starts with an empty disk while an equivocator retries the other value", Seven with { WipePpm = 1_000_000 }, "disk wiped") { Direct = stage => Excused(stage, "disk wiped") },
        new("all-crash-again-and-again", "the whole cluster loses power, over and over", Small with { CrashAllPpm = 50_000, PowerCutPpm = 1_000_000 }, "all witnesses restarted") { Direct = Restarted },
        new("checkpoint-before-certificate", "a witness that nobody hears acks, makes a checkpoint and crashes: what it acked comes back", Small with { Publishers = 1, Broadcasts = 40, BroadcastEveryMicroseconds = 100_000 }, "checkpoint between ack and certificate") { Direct = BetweenAckAndCertificate },
        new("receivers-crash", "receivers and publishers crash and go on from cursor and journal", Small with { CrashPpm = 20_000, Receivers = 3 }, "a receiver restarted") { Direct = ReceiverRestarted },
    ];

    private static void BetweenAckAndCertificate(Stage stage)
    {
        WitnessParty witness = stage.Correct[0];
        stage.Every(400, 900, () =>
        {
            foreach (WitnessParty other in stage.Cluster.Witnesses.Where(other => other != witness))
            {
                stage.Cut(witness, other, 250);
                stage.Cut(other, witness, 250);
            }

            stage.At(100, witness.WantCheckpoint);
            stage.At(200, () =>
            {
                if (witness.IsUp && witness.Store.Streams.Any(log => log.RecordedAboveTip().Any()))
                {
                    stage.Reached("checkpoint between ack and certificate");
                }

                stage.Cluster.Faults.Crash(witness, isPowerCut: true, 100);
            });
        });
    }

    private static void Excused(Stage stage, string why) => stage.When(() => stage.Cluster.Excuses.ContainsKey(why), () => stage.Reached(why));

    private static void Restarted(Stage stage) => stage.When(() => stage.Correct.All(witness => witness.Life > 2), () => stage.Reached("all witnesses restarted"));

    private static void RestartedOnce(Stage stage) => stage.When(() => stage.Correct.Any(witness => witness.Life > 2), () => stage.Reached("a witness restarted"));

    private static void ReceiverRestarted(Stage stage) => stage.When(() => stage.Receivers.Any(receiver => receiver.Life > 2), () => stage.Reached("a receiver restarted"));
}
