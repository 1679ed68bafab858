using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>What must not be believed.</summary>
internal static class Forgeries
{
    private static readonly RunPlan Small = new() { Byzantine = [AdversaryKind.Colluder], ByzantinePublishers = 1, Receivers = 2, Broadcasts = 10, BroadcastEveryMicroseconds = 200_000 };

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("same-ack-many-signatures", "one ack, one batch, signed anew again and again: neither counts twice, and none is evidence", Small, "signed again and again") { Direct = ManySignatures },
        new("valid-ack-then-invalid", "a good ack, then bad ones for the same slot", Small, "invalid acks sent") { Direct = InvalidAcks },
        new("replay-elsewhere", "acks and batches in another epoch, topic, stream and cluster", Small with { Topics = 2, Publishers = 2 }, "replayed elsewhere") { Direct = Replay },
        new("other-body", "payloads under another's digest, trailing bytes, encodings that are not canonical", Small, "other bodies sent") { Direct = OtherBodies },
        new("impersonation", "acks in another witness's name, batches in another publisher's", Small, "impersonated") { Direct = Impersonate },
        new("forged-certificates", "too few acks, one ack twice, another's ack, another base, slot, digest or epoch", Small with { Witnesses = 6 }, "forged certificates shown") { Direct = Certificates },
        new("far-future-flood", "batches and acks far ahead, in streams that nobody knows", Small, "flooded from afar") { Direct = Flood },
        new("mutators", "f witnesses whose every other message is bent", Small with { Witnesses = 7, Byzantine = [AdversaryKind.Mutator, AdversaryKind.Mutator], ByzantinePublishers = 0, ByzantineReceivers = 1 }, "hundred messages bent") { Direct = Mutators },
        new("hostile-receivers", "receivers that never read, flood hand-overs, fetch everything", Small with { Byzantine = [], ByzantineReceivers = 3, ByzantinePublishers = 0, PayloadBytes = 3_000, Broadcasts = 60, BroadcastEveryMicroseconds = 100_000, ChaosMilliseconds = 20_000 }, "slow consumer ended"),
    ];

    private static void ManySignatures(Stage stage)
    {
        ConspiringPublisher puppet = stage.Puppet;
        Branch? branch = null;
        stage.At(300, () => branch = puppet.Begin(stage.Cluster.Topics[0], Sides.Both));
        stage.Every(400, 100, () =>
        {
            VerifiedBatch batch = branch!.Batches.Count < 5 ? puppet.Extend(branch) : branch.Batches[^1];
            BatchStatement statement = batch.Statement.Statement;
            Lot lot = stage.Lot;
            for (int i = 0; i < 4; i++)
            {
                puppet.Send(new BatchFrame(new SignedBatch(statement.Bytes, stage.Cluster.SignerOf(puppet).Sign(statement.Bytes.Span), batch.Body)), [stage.Correct[0].Id]);
                stage.Conspiracy.Ack(batch.Reference, [.. puppet.CorrectWitnesses], ref lot);
            }

            puppet.Note("the same, signed four times");
            stage.Reached("signed again and again");
        });
    }

    private static void InvalidAcks(Stage stage)
    {
        ConspiringPublisher puppet = stage.Puppet;
        Branch? branch = null;
        stage.At(300, () => branch = puppet.Begin(stage.Cluster.Topics[0], Sides.Both));
        stage.Every(400, 150, () =>
        {
            VerifiedBatch batch = puppet.Extend(branch!);
            puppet.Send(batch, puppet.CorrectWitnesses);
            foreach (ColludingWitness witness in stage.Conspiracy.Witnesses)
            {
                AckBundle good = witness.Claim(new AckStatement(batch.Reference, batch.Sequence));
                AckBundle bad = good with { Leaves = [good.Leaves[0] with { Statement = new AckStatement(batch.Reference with { Digest = default }, batch.Sequence) }] };
                foreach (int to in puppet.CorrectWitnesses)
                {
                    witness.Tell(to, new AcksFrame(good.Encode()));
                    witness.Tell(to, new AcksFrame(bad.Encode()));
                    witness.Tell(to, new AcksFrame((good with { Signature = default }).Encode()));
                }
            }

            puppet.Note("good acks, then bad ones");
            stage.Reached("invalid acks sent");
        });
    }

    private static void Replay(Stage stage)
    {
        ConspiringPublisher puppet = stage.Puppet;
        ClusterId elsewhere = new(Sha256.Hash([1, 2, 3]));
        Branch? one = null;
        Branch? other = null;
        stage.At(300, () =>
        {
            one = puppet.Begin(stage.Cluster.Topics[0], 0);
            other = puppet.Begin(stage.Cluster.Topics[1], 1, one.Header.Incarnation);
        });
        stage.Every(400, 200, () =>
        {
            VerifiedBatch here = puppet.Extend(one!);
            VerifiedBatch there = puppet.Extend(other!);
            puppet.Send(here, puppet.WitnessesOf(0));
            puppet.Send(there, puppet.WitnessesOf(1));
            StreamHeader header = new(elsewhere, one!.Header.Publisher, one.Header.Topic, one.Header.Incarnation);
            BatchStatement foreign = BatchStatement.Create(header, here.Sequence, here.Statement.Statement.Ancestor, here.Statement.Statement.Body);
            puppet.Send(new BatchFrame(new SignedBatch(foreign.Bytes, stage.Cluster.SignerOf(puppet).Sign(foreign.Bytes.Span), here.Body)), puppet.CorrectWitnesses);
            foreach (ColludingWitness witness in stage.Conspiracy.Witnesses)
            {
                AckStatement claim = new(here.Reference, here.Sequence);
                foreach (int to in puppet.CorrectWitnesses)
                {
                    witness.Tell(to, new AcksFrame(witness.ClaimIn(claim, stage.Cluster.Committee.Cluster, new Epoch(1)).Encode()));
                    witness.Tell(to, new AcksFrame(witness.ClaimIn(claim, elsewhere, default).Encode()));
                    witness.Tell(to, new AcksFrame(witness.Claim(claim with { Batch = claim.Batch with { Stream = other!.Header.Id } }).Encode()));
                }
            }

            puppet.Note("the same in another cluster, epoch and stream");
            stage.Reached("replayed elsewhere");
        });
    }

    private static void OtherBodies(Stage stage)
    {
        ConspiringPublisher puppet = stage.Puppet;
        Branch? branch = null;
        stage.At(300, () => branch = puppet.Begin(stage.Cluster.Topics[0], Sides.Both));
        stage.Every(400, 200, () =>
        {
            VerifiedBatch batch = puppet.Extend(branch!);
            Lot lot = stage.Lot;
            SignedBatch good = new(batch.Statement.Statement.Bytes, batch.Statement.Signature, batch.Body);
            foreach (SignedBatch bad in (SignedBatch[])
            [
                good with { Body = SmallLies.Flipped(good.Body, ref lot) },
                good with { Body = (byte[])[.. good.Body.Span, 0] },
                good with { Body = ReadOnlyMemory<byte>.Empty },
                good with { Statement = (byte[])[.. good.Statement.Span, 0] },
                good with { Statement = SmallLies.Flipped(good.Statement, ref lot) },
            ])
            {
                puppet.Send(new BatchFrame(bad), [lot.Of(stage.Correct).Id]);
            }

            byte[] bytes = stage.Cluster.Network.BytesOf(new BatchFrame(good));
            puppet.Send([.. bytes, .. bytes], lot.Of(stage.Correct).Id);
            stage.At(50, () => puppet.Send(batch, puppet.CorrectWitnesses));
            puppet.Note("bodies that are not the digest's");
            stage.Reached("other bodies sent");
        });
    }

    private static void Impersonate(Stage stage)
    {
        ConspiringPublisher puppet = stage.Puppet;
        stage.Every(400, 200, () =>
        {
            if (stage.Conspiracy.Batches.Count == 0)
            {
                return;
            }

            Lot lot = stage.Lot;
            SignedBatch theirs = lot.Of(stage.Conspiracy.Batches);
            puppet.Send(new BatchFrame(theirs), puppet.CorrectWitnesses);
            if (BatchStatement.TryParse(stage.Cluster.Committee.Cluster, theirs.Statement.Span, out BatchStatement? statement, out _))
            {
                // Another value in an honest publisher's slot, under one's own signature.
                BatchStatement mine = BatchStatement.Create(statement.Header, statement.Sequence, statement.Ancestor, Branch.BodyOf(stage.Cluster, "not yours"u8.ToArray(), out byte[] body));
                puppet.Send(new BatchFrame(new SignedBatch(mine.Bytes, stage.Cluster.SignerOf(puppet).Sign(mine.Bytes.Span), body)), puppet.CorrectWitnesses);
                foreach (ColludingWitness witness in stage.Conspiracy.Witnesses)
                {
                    foreach (WitnessParty victim in stage.Correct)
                    {
                        AckBundle own = witness.Claim(new AckStatement(mine.Reference, mine.Sequence));
                        witness.Tell(stage.Correct[0].Id, new AcksFrame((own with { Root = own.Root with { Witness = victim.Index } }).Encode()));
                    }
                }

                puppet.Note($"{FrameText.Of(mine.Reference)} in another's name");
                stage.Reached("impersonated");
            }
        });
    }

    private static void Certificates(Stage stage)
    {
        ConspiringPublisher puppet = stage.Puppet;
        CertificateBender bender = new(stage.Cluster.Committee);
        Branch? branch = null;
        stage.At(300, () => branch = puppet.Begin(stage.Cluster.Topics[0], Sides.Both));
        stage.Every(400, 100, () =>
        {
            Lot lot = stage.Lot;
            VerifiedBatch batch = branch!.Batches.Count < 20 ? puppet.Extend(branch) : branch.Batches[^1];

            // One correct ack short of a quorum, and one's own so often as it takes.
            puppet.Send(batch, stage.Correct.Take(stage.Enough - 1).Select(witness => witness.Id));
            if (stage.Conspiracy.Certify(batch.Reference, ref lot, missing: 1) is { } tooFew)
            {
                CertificateEntry own = tooFew.Entries[lot.Below(tooFew.Entries.Count)];
                WitnessIndex absent = stage.Correct.Select(witness => witness.Index).First(index => tooFew.Entries.All(entry => entry.Witness != index));
                foreach (CertificateEntry[] entries in (CertificateEntry[][])
                [
                    [.. tooFew.Entries],
                    [.. tooFew.Entries, own],
                    [.. tooFew.Entries, own with { Witness = absent }],
                ])
                {
                    CertificateEntry[] ordered = [.. entries.OrderBy(entry => entry.Witness.Value)];
                    CertifiedFrame frame = branch.Covered(tooFew).Frame with { Certificate = new QuorumCertificate(batch.Reference, tooFew.Epoch, ordered).Bytes };
                    Show(stage, puppet, branch, frame, ref lot);
                }
            }

            if (stage.Conspiracy.Certificates.Count > 0)
            {
                Show(stage, puppet, branch, new CertifiedFrame(bender.Bend(lot.Of(stage.Conspiracy.Certificates), ref lot).Bytes, []), ref lot);
                stage.Reached("forged certificates shown");
            }
        });
    }

    private static void Show(Stage stage, ConspiringPublisher puppet, Branch branch, CertifiedFrame frame, ref Lot lot)
    {
        puppet.Note("a forged certificate");
        puppet.Send(frame, [lot.Of(stage.Correct).Id]);
        foreach (ColludingWitness witness in stage.Conspiracy.Witnesses)
        {
            witness.Tell(lot.Of(stage.Correct).Id, new TipFrame(frame.Certificate));
            witness.TryShow(lot.Of(stage.Receivers), branch.Header.Topic, frame, branch.Batches);
        }
    }

    private static void Flood(Stage stage)
    {
        ConspiringPublisher puppet = stage.Puppet;
        Branch? branch = null;
        stage.At(300, () => branch = puppet.Begin(stage.Cluster.Topics[0], Sides.Both));
        stage.Every(400, 100, () =>
        {
            Lot lot = stage.Lot;
            VerifiedBatch batch = puppet.Extend(branch!);
            for (int i = 0; i < 20; i++)
            {
                Sequence far = new(batch.Sequence.Value + (ulong)lot.Between(1, 1L << 40));
                BatchStatement statement = BatchStatement.Create(branch!.Header, far, Ancestor.Previous(batch.Digest), batch.Statement.Statement.Body);
                puppet.Send(new BatchFrame(new SignedBatch(statement.Bytes, stage.Cluster.SignerOf(puppet).Sign(statement.Bytes.Span), batch.Body)), puppet.CorrectWitnesses);
                StreamId unknown = new(Sha256.Hash(statement.Bytes.Span));
                stage.Conspiracy.Ack(new BatchRef(unknown, far, statement.Digest), [.. puppet.CorrectWitnesses], ref lot);
            }

            puppet.Note("twenty batches far ahead");
            stage.Reached("flooded from afar");
        });
    }

    private static void Mutators(Stage stage) =>
        stage.When(() => stage.Cluster.Simulation.Choices.Faults.Count(fault => fault.Id.Stream == ChoiceStream.Adversary) > 100, () => stage.Reached("hundred messages bent"));
}
