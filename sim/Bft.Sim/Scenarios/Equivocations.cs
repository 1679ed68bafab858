using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>Two values where one is allowed.</summary>
internal static class Equivocations
{
    private static readonly RunPlan Small = new() { Byzantine = [AdversaryKind.Colluder], ByzantinePublishers = 1, Receivers = 2, Broadcasts = 10, BroadcastEveryMicroseconds = 200_000 };

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("equivocation-along-a-partition", "an equivocating publisher shows each side of a partition its own value; colluders ack both", Small, "two values for one slot") { Direct = AlongAPartition },
        new("equivocation-for-ever", "conspiring publishers and f colluders try everything they know, in a cluster of seven", Small with
        {
            Witnesses = 7, Byzantine = [AdversaryKind.Colluder, AdversaryKind.Colluder], ByzantinePublishers = 2, Topics = 2,
        }, "evidence about a publisher") { Direct = Publishers },
        new("double-ack", "colluders ack two values of a slot, each to all", Small, "evidence about a witness") { Direct = DoubleAck },
        new("conflicting-certificates", "each side is shown its certificate, if there is one", Small with { Witnesses = 6, WindowSlots = 4 }, "two values for one slot") { Direct = AlongAPartition },
        new("bases", "colluders claim any base, and one-slot windows leave no room for another", Small with { Witnesses = 5, WindowSlots = 3, ByzantinePublishers = 2, Broadcasts = 5 }, "evidence about a publisher") { Direct = Publishers },
        new("crash-at-every-boundary", "witnesses die at each write, flush and message while an equivocator retries the other value", Small with
        {
            CrashAtCommitPpm = 200_000, PowerCutPpm = 1_000_000, DownMilliseconds = 200, SegmentBytes = 4_096,
        }, "other value retried after a crash") { Direct = Retry },
        new("two-witness-processes-one-key", "f witnesses run twice, each half shown to a part", Small with { Byzantine = [AdversaryKind.Twins] }, "both halves acked") { Direct = BothHalves },
        new("f-plus-1-twins", "positive control: f + 1 twins and an equivocator along a partition; a fork must be seen", Small with
        {
            Byzantine = [AdversaryKind.Twins, AdversaryKind.Twins], ChaosMilliseconds = 8_000,
        }, "certificates on both sides") { Direct = Control, MustBeSeen = true },
    ];

    private static void AlongAPartition(Stage stage)
    {
        ConspiringPublisher puppet = stage.Puppet;
        stage.TakeSides();
        stage.At(300, () => stage.Cluster.Sides.Split(2_000_000_000));
        stage.At(400, () =>
        {
            Branch one = puppet.Begin(stage.Cluster.Topics[0], 0);
            Branch other = puppet.Fork(one, 0, 1);
            for (int i = 0; i < 3; i++)
            {
                Lot lot = stage.Lot;
                foreach (Branch branch in (Branch[])[one, other])
                {
                    VerifiedBatch batch = puppet.Extend(branch);
                    puppet.Send(batch, puppet.WitnessesOf(branch.Side));
                    stage.Conspiracy.Ack(batch.Reference, puppet.WitnessesOf(branch.Side), ref lot);
                    puppet.Note($"{FrameText.Of(batch.Reference)} to side {branch.Side}");
                }
            }

            stage.When(() => IsAcked(stage, one) && IsAcked(stage, other), () => stage.Reached("two values for one slot"));
            stage.Every(500, 300, () =>
            {
                ShowSide(stage, puppet, one);
                ShowSide(stage, puppet, other);
            });
        });
    }

    private static bool IsAcked(Stage stage, Branch branch) => stage.Conspiracy.AckersOf(branch.Batches[0].Reference).Any(witness => stage.Cluster.IsCorrect(witness));

    private static void ShowSide(Stage stage, ConspiringPublisher puppet, Branch branch)
    {
        Lot lot = stage.Lot;
        foreach (VerifiedBatch batch in branch.Batches)
        {
            if (stage.Conspiracy.Certify(batch.Reference, ref lot) is { } certificate)
            {
                (CertifiedFrame frame, IReadOnlyList<VerifiedBatch> batches) = branch.Covered(certificate);
                puppet.Send(frame, puppet.WitnessesOf(branch.Side));
                foreach (Party receiver in stage.Receivers.Where(receiver => stage.Cluster.Sides[receiver] == branch.Side))
                {
                    foreach (ColludingWitness witness in stage.Conspiracy.Witnesses)
                    {
                        witness.TryShow(receiver, branch.Header.Topic, frame, batches);
                    }
                }
            }
        }
    }

    private static void Publishers(Stage stage) => stage.When(() => stage.HasEvidence(evidence => evidence.Witness is null), () => stage.Reached("evidence about a publisher"));

    private static void DoubleAck(Stage stage)
    {
        ConspiringPublisher puppet = stage.Puppet;
        stage.TakeSides();
        stage.At(400, () =>
        {
            Branch one = puppet.Begin(stage.Cluster.Topics[0], 0);
            Branch other = puppet.Fork(one, 0, 1);
            VerifiedBatch first = puppet.Extend(one);
            VerifiedBatch second = puppet.Extend(other);
            puppet.Send(first, puppet.WitnessesOf(0));
            puppet.Send(second, puppet.WitnessesOf(1));
            Lot lot = stage.Lot;
            int[] all = [.. puppet.CorrectWitnesses];
            stage.Conspiracy.Ack(first.Reference, all, ref lot);
            stage.Conspiracy.Ack(second.Reference, all, ref lot);
            puppet.Note("colluders ack both");
        });
        stage.When(() => stage.HasEvidence(evidence => evidence.Witness is not null), () => stage.Reached("evidence about a witness"));
    }

    private static void Retry(Stage stage)
    {
        ConspiringPublisher puppet = stage.Puppet;
        Branch? one = null;
        Branch? other = null;
        stage.Every(200, 400, () =>
        {
            one = puppet.Begin(stage.Cluster.Topics[0], 0);
            other = puppet.Fork(one, 0, 1);
            for (int i = 0; i < 2; i++)
            {
                puppet.Extend(one);
                puppet.Extend(other);
            }
        });
        stage.Every(210, 30, () =>
        {
            if (one is null || other is null)
            {
                return;
            }

            Lot lot = stage.Lot;
            Branch branch = lot.Below(2) == 0 ? one : other;
            VerifiedBatch batch = lot.Of(branch.Batches);
            WitnessParty to = lot.Of(stage.Correct);
            puppet.Send(batch, [to.Id]);
            stage.Conspiracy.Ack(batch.Reference, [to.Id], ref lot);
            if (to.Life > 1)
            {
                stage.Reached("other value retried after a crash");
                puppet.Note($"{FrameText.Of(batch.Reference)} to {to.Name}");
            }
        });
    }

    private static void BothHalves(Stage stage)
    {
        stage.When(
            () => stage.Cluster.Witnesses.Where(witness => witness.IsByzantine).All(half => half.IsUp && half.Mark > 2),
            () => stage.Reached("both halves acked"));
    }

    private static void Control(Stage stage)
    {
        ConspiringPublisher puppet = stage.Puppet;
        stage.TakeSides();
        // Not at once: each witness first asks all others (W9).
        stage.At(2_000, () => stage.Cluster.Sides.Split(6_000_000_000));
        stage.At(2_800, () =>
        {
            Branch one = puppet.Begin(stage.Cluster.Topics[0], 0);
            Branch other = puppet.Fork(one, 0, 1);
            foreach (Branch branch in (Branch[])[one, other])
            {
                VerifiedBatch batch = puppet.Extend(branch);
                stage.Every(0, 200, () => puppet.Send(batch, puppet.WitnessesOf(branch.Side)));
            }

            stage.When(() => stage.IsStored(one.Batches[0].Reference) && stage.IsStored(other.Batches[0].Reference), () => stage.Reached("certificates on both sides"));
        });
    }
}
