namespace Bft.Sim;

/// <summary>Publishers that lost their journals, and what witnesses say to them.</summary>
internal static class Publishers
{
    private static readonly RunPlan Small = new() { Receivers = 2, Broadcasts = 10, BroadcastEveryMicroseconds = 300_000, ChaosMilliseconds = 12_000 };

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("journals-lost", "publishers crash, and start with an empty journal or an old one (P7)", Small with
        {
            Publishers = 3, PublisherCrashPpm = 20_000, PublisherWipePpm = 400_000, PublisherRollBackPpm = 700_000, DownMilliseconds = 200,
        }, "publisher goes on without its journal (P7)"),
        new("journal-rolled-back-unseen", "a publisher goes on with an old journal, because the one witness that has its last batch cannot be heard; later it can (P6)", Small with { Broadcasts = 60, BroadcastEveryMicroseconds = 100_000 }, "lost journal or copied key shown (P6)")
        {
            Direct = Unseen,
        },
        new("no-room-for-incarnations", "a publisher loses its journal again and again while nothing of it is certified: witnesses have no place for one more incarnation (W11)", Small with
        {
            Byzantine = [AdversaryKind.Silent], LiveIncarnations = 2, DelayMinMicroseconds = 20_000, DelayMaxMicroseconds = 25_000, ChaosMilliseconds = 40_000, Broadcasts = 20, BroadcastEveryMicroseconds = 1_500_000,
        }, "refused for want of room (W11)") { Direct = NoRoom },
        new("lies-to-publishers", "f witnesses refuse what they acked, and recall what the publisher never made", Small with
        {
            Witnesses = 7, Publishers = 3, Byzantine = [AdversaryKind.Mutator, AdversaryKind.Mutator], PublisherCrashPpm = 5_000, DownMilliseconds = 300,
        }, "broadcast certified") { Direct = Certified },
    ];

    private static void Certified(Stage stage) =>
        stage.When(() => stage.Cluster.Publishers.All(publisher => publisher.IsUp && publisher.Left + publisher.InFlight == 0), () => stage.Reached("broadcast certified"));

    private static void Unseen(Stage stage)
    {
        PublisherParty publisher = stage.Cluster.Publishers.First();
        WitnessParty last = stage.Correct[^1];
        stage.At(1_500, () =>
        {
            SimulatedDisk old = publisher.Disk.Clone();

            // From now on one witness alone hears the publisher, and nobody hears that one.
            foreach (WitnessParty other in stage.Correct.Where(other => other != last))
            {
                stage.Cut(publisher, other, 1_000);
                stage.Cut(last, other, 9_000);
                stage.Cut(other, last, 9_000);
            }

            stage.At(900, () => stage.Cluster.Faults.Crash(publisher, isPowerCut: false, 300, () =>
            {
                publisher.LoseJournal(old);
                stage.Cut(publisher, last, 700);
                stage.Cut(last, publisher, 700);
            }));
        });
    }

    private static void NoRoom(Stage stage)
    {
        PublisherParty publisher = stage.Cluster.Publishers.First();
        WitnessParty last = stage.Correct[^1];

        // Not before all have been asked (W9).
        stage.At(12_000, () =>
        {
            foreach (WitnessParty other in stage.Correct.Where(other => other != last))
            {
                stage.Cut(last, other, 25_000);
                stage.Cut(other, last, 25_000);
            }

            Lose(4);
        });

        void Lose(int times) => stage.Cluster.Faults.Crash(publisher, isPowerCut: false, 100, () =>
        {
            publisher.LoseJournal(null);
            stage.Cluster.Network.Mend(publisher.Id, last.Id);

            // It answers the publisher's question, and gets none of its batches: no quorum.
            stage.When(() => publisher.HasCallTo(last.Id), () =>
            {
                stage.Cut(publisher, last, 20_000);
                if (times > 1)
                {
                    stage.At(3_000, () => Lose(times - 1));
                }
            });
        });
    }
}
