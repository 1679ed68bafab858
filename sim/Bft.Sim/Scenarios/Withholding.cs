using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>Something is shown to few, and then nothing more.</summary>
internal static class Withholding
{
    private static readonly RunPlan Small = new() { Byzantine = [AdversaryKind.Colluder], ByzantinePublishers = 1, Receivers = 2, Broadcasts = 10, BroadcastEveryMicroseconds = 200_000 };

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("payload-to-a-few", "a publisher sends its batch to f + 1 witnesses and is gone: the others must finish it (W6)", Small, "batch shown to f + 1") { Direct = ToAFew },
        new("dead-publisher", "a correct publisher dies for good half-way through a broadcast", Small with { Byzantine = [], ByzantinePublishers = 0, Publishers = 2 }, "publisher dead half-way") { Direct = DeadPublisher },
        new("certificate-to-one-receiver", "publisher and f witnesses make a certificate, show it to one receiver, and are silent for ever (R5)", Small, "certificate shown to one receiver") { Direct = ToOneReceiver },
        new("certificate-to-one-witness", "the same with one witness", Small with { Witnesses = 5 }, "certificate shown to one witness") { Direct = ToOneWitness },
        new("body-withheld-after-certification", "few witnesses have the body, and colluders answer fetches with garbage", Small with { Witnesses = 7, Byzantine = [AdversaryKind.Colluder, AdversaryKind.Colluder] }, "stored in spite of garbage") { Direct = Garbage },
        new("stuck-slot", "a Byzantine publisher stalls its own stream; the others go on", Small with { Publishers = 2 }, "stream stuck") { Direct = StuckSlot },
        new("silent-witnesses", "f witnesses never say a word", Small with { Witnesses = 7, Byzantine = [AdversaryKind.Silent, AdversaryKind.Silent], ByzantinePublishers = 0 }, "broadcast certified") { Direct = Certified },
        new("late-joiner-with-lying-peers", "a witness and a receiver join late, among peers that lie about all they hold", Small with { Byzantine = [AdversaryKind.Mutator], ByzantinePublishers = 0 }, "joined late") { Direct = LateJoiner },
    ];

    private static void ToAFew(Stage stage)
    {
        ConspiringPublisher puppet = stage.Puppet;
        int few = stage.Cluster.Plan.FaultyMax + 1;
        stage.At(400, () =>
        {
            VerifiedBatch batch = puppet.Extend(puppet.Begin(stage.Cluster.Topics[0], Sides.Both));
            puppet.Send(batch, stage.Correct.Take(few).Select(witness => witness.Id));
            puppet.Note($"{FrameText.Of(batch.Reference)} to {few} witnesses, then silence");
            stage.At(20, () => stage.End(puppet));
            stage.When(() => stage.Conspiracy.AckersOf(batch.Reference).Any(), () => stage.Reached("batch shown to f + 1"));
        });
    }

    private static void DeadPublisher(Stage stage)
    {
        PublisherParty publisher = stage.Cluster.Publishers.First();
        stage.When(() => publisher.InFlight > 0, () =>
        {
            stage.Reached("publisher dead half-way");
            stage.End(publisher);
        });
    }

    private static void ToOneReceiver(Stage stage)
    {
        ConspiringPublisher puppet = stage.Puppet;
        Hidden(stage, puppet, (branch, batch, certificate) =>
        {
            (CertifiedFrame frame, IReadOnlyList<VerifiedBatch> batches) = branch.Covered(certificate);
            stage.When(() => stage.Conspiracy.Witnesses.Sum(witness => witness.TryShow(stage.Receivers[0], branch.Header.Topic, frame, batches) ? 1 : 0) > 0, () =>
            {
                puppet.Note($"certificate {FrameText.Of(batch.Reference)} to {stage.Receivers[0].Name} alone");
                stage.Reached("certificate shown to one receiver");
                stage.End(puppet);
                stage.At(10, stage.SilenceColluders);
            });
        });
    }

    private static void ToOneWitness(Stage stage)
    {
        ConspiringPublisher puppet = stage.Puppet;
        Hidden(stage, puppet, (branch, batch, certificate) =>
        {
            WitnessParty last = stage.Correct[^1];
            puppet.Send(branch.Covered(certificate).Frame with { Statements = [] }, [last.Id]);
            puppet.Note($"certificate {FrameText.Of(batch.Reference)} to {last.Name} alone");
            stage.SilenceColluders();
            stage.At(20, () => stage.End(puppet));
            stage.Reached("certificate shown to one witness");
        });
    }

    /// <summary>A certificate with as few correct acks as can be, known to the conspiracy alone.</summary>
    private static void Hidden(Stage stage, ConspiringPublisher puppet, Action<Branch, VerifiedBatch, QuorumCertificate> then) => stage.At(400, () =>
    {
        Branch branch = puppet.Begin(stage.Cluster.Topics[0], Sides.Both);
        VerifiedBatch batch = puppet.Extend(branch);
        stage.Conspiracy.KeepSecret(batch.Reference);
        int[] few = [.. stage.Correct.Take(stage.Enough).Select(witness => witness.Id)];
        puppet.Send(batch, few);

        // Those few hear nothing of each other for a while, or the acks would do what the certificate does.
        foreach (int one in few)
        {
            foreach (WitnessParty other in stage.Correct)
            {
                stage.Cut(stage.Cluster.All[one], other, 1_000);
            }
        }

        bool isDone = false;
        stage.Every(5, 20, () =>
        {
            Lot lot = stage.Lot;
            if (!isDone && stage.Conspiracy.Certify(batch.Reference, ref lot) is { } certificate)
            {
                isDone = true;
                then(branch, batch, certificate);
            }
        });
    });

    private static void Garbage(Stage stage)
    {
        ConspiringPublisher puppet = stage.Puppet;
        foreach (ColludingWitness witness in stage.Conspiracy.Witnesses)
        {
            witness.GivesGarbage = true;
        }

        stage.At(400, () =>
        {
            Branch branch = puppet.Begin(stage.Cluster.Topics[0], Sides.Both);
            int[] few = [.. stage.Correct.Take(stage.Enough).Select(witness => witness.Id)];
            for (int i = 0; i < 3; i++)
            {
                VerifiedBatch batch = puppet.Extend(branch);
                puppet.Send(batch, few);
                puppet.Send(batch, stage.Conspiracy.Witnesses.Select(witness => witness.Id));
            }

            Lot lot = stage.Lot;
            VerifiedBatch last = branch.Batches[^1];
            stage.Conspiracy.Ack(last.Reference, few, ref lot);
            stage.When(() => stage.StoredCount(last.Reference) == stage.Correct.Length, () => stage.Reached("stored in spite of garbage"));
        });
    }

    private static void StuckSlot(Stage stage)
    {
        ConspiringPublisher puppet = stage.Puppet;
        Branch? branch = null;
        stage.At(300, () =>
        {
            branch = puppet.Begin(stage.Cluster.Topics[0], Sides.Both);
            puppet.Extend(branch);
            for (int i = 0; i < 8; i++)
            {
                puppet.Send(puppet.Extend(branch), puppet.CorrectWitnesses);
            }

            puppet.Note("slot 0 is missing");
            stage.When(() => stage.Cluster.Publishers.All(publisher => publisher.Left == 0), () => stage.Reached("stream stuck"));
        });
    }

    private static void Certified(Stage stage) =>
        stage.When(() => stage.Cluster.Publishers.All(publisher => publisher.IsUp && publisher.Left + publisher.InFlight == 0), () => stage.Reached("broadcast certified"));

    private static void LateJoiner(Stage stage)
    {
        WitnessParty witness = stage.Correct[0];
        witness.StartDelay = 3_000_000_000;
        stage.Receivers[0].StartDelay = 3_500_000_000;
        stage.When(() => witness.IsUp && witness.Mark > 3, () => stage.Reached("joined late"));
    }
}
