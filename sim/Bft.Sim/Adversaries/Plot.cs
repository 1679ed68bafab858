using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>What a conspiring publisher and the colluding witnesses do by chance: one move at a time, each by itself removable.</summary>
internal sealed class Plot(SimulatedCluster cluster, ConspiringPublisher publisher)
{
    private const long Millisecond = 1_000_000;
    private const int StreamsMax = 12;
    private const int FloodWindowMax = 8;

    private readonly CertificateBender _bender = new(cluster.Committee);
    private int _movesLeft = -1;
    private int _movePpm;
    private int _retryPpm;
    private bool _mayMute;

    private Conspiracy Conspiracy => cluster.Conspiracy;

    public void OnTick()
    {
        if (_movesLeft < 0)
        {
            Lot style = cluster.Simulation.Choices.Next(ChoiceStream.Adversary, publisher.Id);
            _movesLeft = style.Of([20, 60, 150]);
            _movePpm = style.Of([100_000, 300_000, 900_000]);
            _retryPpm = style.Of([0, 100_000, 500_000]);
            _mayMute = style.Below(3) == 0;
        }

        if (_movesLeft > 0 && cluster.Simulation.Choices.Fault(ChoiceStream.Adversary, publisher.Id, cluster.IsHealed ? _movePpm / 4 : _movePpm, out Lot lot))
        {
            _movesLeft--;
            string what = Move(ref lot);
            cluster.Simulation.Choices.Record(lot.Id, $"{publisher.Name}: {what}");
            publisher.Note(what);
        }
    }

    /// <summary>A witness that lacks statements asks for them; whether it gets them is a move too.</summary>
    public void OnReply(IFrame frame, int witness)
    {
        if (frame is FetchFrame fetch && Branches.FirstOrDefault(branch => branch.Header.Id == fetch.Stream) is { } branch)
        {
            Lot lot = cluster.Simulation.Choices.Next(ChoiceStream.Adversary, publisher.Id);
            foreach (VerifiedBatch batch in branch.Batches.Where(batch => batch.Sequence >= fetch.From && batch.Sequence <= fetch.To && lot.Below(2) == 0))
            {
                publisher.Send(batch, [witness]);
            }
        }
    }

    private IReadOnlyList<Branch> Branches => publisher.Branches;

    private string Move(ref Lot lot)
    {
        // The oldest streams are proven or retired; plots go on in the youngest.
        if (Branches.Count == 0 || (Branches.Count < StreamsMax && lot.Below(12) == 0))
        {
            return Begin(ref lot);
        }

        if (lot.Chance(_retryPpm))
        {
            return Retry(ref lot);
        }

        Branch branch = Branches[^(1 + lot.Below(Math.Min(3, Branches.Count)))];
        if (branch.Batches.Count == 0)
        {
            return lot.Below(2) == 0 ? Extend(branch, ref lot) : ExtendBoth(branch, ref lot);
        }

        return lot.Below(20) switch
        {
            <= 4 => Extend(branch, ref lot),
            <= 6 => ExtendBoth(branch, ref lot),
            7 => Fork(branch, ref lot),
            8 => Retry(ref lot),
            <= 10 => Ack(branch, ref lot),
            <= 13 => Show(branch, ref lot),
            14 => ShowForged(branch, ref lot),
            15 => SendBent(branch, ref lot),
            16 => SignAgain(branch, ref lot),
            17 => Split(ref lot),
            18 => Hush(ref lot),
            _ => Begin(ref lot),
        };
    }

    private string Begin(ref Lot lot)
    {
        Topic topic = lot.Of(cluster.Topics);
        Branch? other = Branches.Count > 0 ? Branches[^1] : null;
        switch (lot.Below(5))
        {
            case 0 when other is not null && cluster.Topics.Count > 1:
                // The same incarnation and key in another topic: nothing but the topic tells the streams apart.
                publisher.Begin(cluster.Topics[(IndexOf(other.Header.Topic) + 1) % cluster.Topics.Count], lot.Below(3), other.Header.Incarnation);
                return "begins the same incarnation in another topic";
            case 1 when other is { Batches.Count: > 0 }:
                VerifiedBatch target = other.Batches[lot.Below(other.Batches.Count)];
                Ancestor link = Ancestor.Link(other.Header.Incarnation, target.Sequence, lot.Below(3) == 0 ? default : target.Digest);
                publisher.Begin(other.Header.Topic, lot.Below(3), new Incarnation(Math.Max((ulong)publisher.ClockMs, other.Header.Incarnation.Counter + 1), lot.Bits()), link);
                return "begins a linked incarnation";
            case 2:
                publisher.Begin(topic, lot.Below(3), new Incarnation((ulong)publisher.ClockMs + (ulong)lot.Between(0, 2L * 24 * 3600 * 1000), lot.Bits()));
                return "begins an incarnation of the future";
            default:
                publisher.Begin(topic, lot.Below(3));
                return "begins an incarnation";
        }
    }

    private string Extend(Branch branch, ref Lot lot)
    {
        VerifiedBatch batch = publisher.Extend(branch);
        int[] all = publisher.WitnessesOf(branch.Side);
        int[] some = lot.Below(3) > 0 ? all : Some(all, ref lot);
        publisher.Send(batch, some);
        if (lot.Below(2) == 0)
        {
            SendToColluders(batch);
        }

        return $"{FrameText.Of(batch.Reference)} to {Names(some)}";
    }

    /// <summary>The classical attack: two values for one slot, one for each side, acked by all who collude.</summary>
    private string ExtendBoth(Branch branch, ref Lot lot)
    {
        Branch other = publisher.Fork(branch, branch.Batches.Count, 1 - (branch.Side & 1));
        VerifiedBatch first = publisher.Extend(branch);
        VerifiedBatch second = publisher.Extend(other);
        if (lot.Below(3) == 0)
        {
            cluster.Sides.Split(lot.Between(100, 3_000) * Millisecond);
        }

        bool isSecret = lot.Below(2) == 0;
        if (isSecret)
        {
            Conspiracy.KeepSecret(first.Reference);
            Conspiracy.KeepSecret(second.Reference);
        }

        publisher.Send(first, publisher.WitnessesOf(branch.Side & 1));
        publisher.Send(second, publisher.WitnessesOf(other.Side));
        Conspiracy.Ack(first.Reference, publisher.WitnessesOf(branch.Side & 1), ref lot);
        Conspiracy.Ack(second.Reference, publisher.WitnessesOf(other.Side), ref lot);
        return $"{FrameText.Of(first.Reference)} to one side, {FrameText.Of(second.Reference)} to the other{(isSecret ? ", in secret" : "")}";
    }

    private string Fork(Branch branch, ref Lot lot)
    {
        int common = Math.Max(0, branch.Batches.Count - 1 - lot.Below(3));
        Branch other = publisher.Fork(branch, common, lot.Below(3));
        VerifiedBatch batch = publisher.Extend(other);
        publisher.Send(batch, publisher.WitnessesOf(other.Side));
        return $"{FrameText.Of(batch.Reference)} in place of another";
    }

    private string Retry(ref Lot lot)
    {
        Branch[] candidates = [.. Branches.Where(branch => branch.Batches.Count > 0)];
        if (candidates.Length == 0)
        {
            return Extend(Branches[^1], ref lot);
        }

        Branch branch = lot.Of(candidates);
        VerifiedBatch batch = branch.Batches[^(1 + lot.Below(Math.Min(4, branch.Batches.Count)))];
        int[] some = Some([.. publisher.CorrectWitnesses], ref lot);
        publisher.Send(batch, some);
        return $"{FrameText.Of(batch.Reference)} again to {Names(some)}";
    }

    private string Ack(Branch branch, ref Lot lot)
    {
        VerifiedBatch batch = branch.Batches[^(1 + lot.Below(Math.Min(3, branch.Batches.Count)))];
        int[] some = Some([.. publisher.CorrectWitnesses], ref lot);
        for (int times = lot.Of([1, 1, 1, 5]); times > 0; times--)
        {
            Conspiracy.Ack(batch.Reference, some, ref lot);
        }

        return $"colluders ack {FrameText.Of(batch.Reference)} to {Names(some)}";
    }

    /// <summary>Certificates go to one party only, mostly: the others must hear of it from that one (R5).</summary>
    private string Show(Branch branch, ref Lot lot, int missing = 0, bool isPadded = false)
    {
        foreach (VerifiedBatch batch in Enumerable.Reverse(branch.Batches))
        {
            if (Conspiracy.Certify(batch.Reference, ref lot, missing, isPadded) is { } certificate)
            {
                return ShowTo(branch.Covered(certificate), batch.Reference, ref lot);
            }
        }

        return missing > 0 ? "no acks yet" : ExtendBoth(branch, ref lot);
    }

    private string ShowForged(Branch branch, ref Lot lot)
    {
        if (lot.Below(3) == 0)
        {
            bool isPadded = lot.Below(2) == 0;
            return $"{(isPadded ? "one ack twice" : "too few acks")}: " + Show(branch, ref lot, missing: 1 + lot.Below(2), isPadded);
        }

        if (Conspiracy.Certificates.Count == 0)
        {
            return Extend(branch, ref lot);
        }

        (ReadOnlyMemory<byte> bytes, string what) = _bender.Bend(lot.Of(Conspiracy.Certificates), ref lot);
        int[] some = Some([.. publisher.CorrectWitnesses], ref lot);
        publisher.Send(new CertifiedFrame(bytes, []), some);
        foreach (ColludingWitness witness in Conspiracy.Witnesses)
        {
            witness.Tell(some[0], new TipFrame(bytes));
        }

        return $"{what} to {Names(some)}";
    }

    private string ShowTo((CertifiedFrame Frame, IReadOnlyList<VerifiedBatch> Batches) covered, in BatchRef batch, ref Lot lot)
    {
        Party[] readers = [.. cluster.All.Where(party => cluster.IsReceiver(party.Id))];
        string name = FrameText.Of(batch);
        switch (lot.Below(5))
        {
            case <= 1 when readers.Length > 0:
                Party reader = lot.Of(readers);
                bool isShown = false;
                foreach (ColludingWitness witness in Conspiracy.Witnesses)
                {
                    isShown |= witness.TryShow(reader, covered.Batches[0].Statement.Statement.Header.Topic, covered.Frame, lot.Below(3) == 0 ? [] : covered.Batches);
                }

                return $"certificate {name} {(isShown ? "" : "not yet ")}to {reader.Name}";
            case 2:
                int[] one = Some([.. publisher.CorrectWitnesses], ref lot);
                publisher.Send(lot.Below(2) == 0 ? covered.Frame : covered.Frame with { Statements = [] }, one[..1]);
                return $"certificate {name} to {Names(one[..1])}";
            case 3:
                int[] some = Some([.. publisher.CorrectWitnesses], ref lot);
                foreach (ColludingWitness witness in Conspiracy.Witnesses)
                {
                    witness.Tell(some[0], new TipFrame(covered.Frame.Certificate));
                }

                return $"tip {name} to {Names(some[..1])}";
            default:
                publisher.Send(covered.Frame, publisher.CorrectWitnesses);
                Conspiracy.Reveal(batch);
                return $"certificate {name} to all";
        }
    }

    /// <summary>Batches that must not be taken: another's body, another cluster's statement, no predecessor, far ahead.</summary>
    private string SendBent(Branch branch, ref Lot lot)
    {
        int[] some = Some([.. publisher.CorrectWitnesses], ref lot);
        StreamHeader header = branch.Header;
        Branch bent = new(header, Sides.Both) { Batches = [.. branch.Batches] };
        VerifiedBatch batch = publisher.Extend(bent);
        SignedBatch signed = new(batch.Statement.Statement.Bytes, batch.Statement.Signature, batch.Body);
        string what;
        switch (lot.Below(7))
        {
            case 0:
                signed = signed with { Body = SmallLies.Flipped(batch.Body, ref lot) };
                what = "another body";
                break;
            case 1:
                signed = signed with { Body = (byte[])[.. batch.Body.Span, 0] };
                what = "a body with a byte behind";
                break;
            case 2:
                signed = signed with { Statement = (byte[])[.. signed.Statement.Span, 0] };
                what = "a statement with a byte behind";
                break;
            case 3:
                ulong ahead = (ulong)lot.Between(1, 1_000_000);
                for (ulong i = 0; i < 8UL * (ulong)Math.Min(cluster.Plan.WindowSlots, FloodWindowMax); i++)
                {
                    publisher.Send(new BatchFrame(Signed(BatchStatement.Create(header, new Sequence(bent.End.Value + ahead + i), Ancestor.Previous(batch.Digest), batch.Statement.Statement.Body), batch.Body)), some);
                }

                what = "batches far ahead";
                break;
            case 4:
                Sequence next = bent.End;
                signed = Signed(BatchStatement.Create(header, next, Ancestor.Previous(default), batch.Statement.Statement.Body), batch.Body);
                what = "a batch after none";
                break;
            case 5:
                StreamHeader elsewhere = new(new ClusterId(Sha256.Hash(header.Cluster.Digest.ToString().Select(c => (byte)c).ToArray())), header.Publisher, header.Topic, header.Incarnation);
                signed = Signed(BatchStatement.Create(elsewhere, batch.Sequence, batch.Statement.Statement.Ancestor, batch.Statement.Statement.Body), batch.Body);
                what = "a batch of another cluster";
                break;
            default:
                if (Conspiracy.Batches.Count > 0)
                {
                    signed = lot.Of(Conspiracy.Batches);
                }

                what = "another publisher's batch";
                break;
        }

        publisher.Send(new BatchFrame(signed), some);
        return $"{what} to {Names(some)}";
    }

    /// <summary>The same batch under a signature that is new, and then under one that is none.</summary>
    private string SignAgain(Branch branch, ref Lot lot)
    {
        VerifiedBatch batch = branch.Batches[^1];
        int[] some = Some([.. publisher.CorrectWitnesses], ref lot);
        publisher.Send(new BatchFrame(Signed(batch.Statement.Statement, batch.Body)), some);
        publisher.Send(new BatchFrame(new SignedBatch(batch.Statement.Statement.Bytes, default, batch.Body)), some);
        return $"{FrameText.Of(batch.Reference)} signed again to {Names(some)}";
    }

    private string Split(ref Lot lot)
    {
        if (cluster.IsHealed)
        {
            return "lies low";
        }

        cluster.Sides.Split(lot.Between(100, 3_000) * Millisecond);
        return "cuts the cluster in two";
    }

    private string Hush(ref Lot lot)
    {
        if (!_mayMute)
        {
            return "lies low";
        }

        long time = lot.Below(3) == 0 ? long.MaxValue / 2 : lot.Between(500, 10_000) * Millisecond;
        foreach (ColludingWitness witness in Conspiracy.Witnesses)
        {
            witness.MuteUntil = cluster.Simulation.Now + time;
            witness.GivesGarbage = lot.Below(2) == 0;
        }

        return "colluders fall silent";
    }

    private void SendToColluders(VerifiedBatch batch) => publisher.Send(batch, Conspiracy.Witnesses.Select(witness => witness.Id));

    private SignedBatch Signed(BatchStatement statement, ReadOnlyMemory<byte> body) => new(statement.Bytes, cluster.SignerOf(publisher).Sign(statement.Bytes.Span), body);

    private int IndexOf(Topic topic) => cluster.Topics.ToList().IndexOf(topic);

    private string Names(IEnumerable<int> parties) => string.Join(' ', parties.Select(party => cluster.All[party].Name));

    /// <summary>At least one, in an order of chance.</summary>
    private static int[] Some(int[] all, ref Lot lot)
    {
        int[] shuffled = [.. all];
        for (int i = shuffled.Length - 1; i > 0; i--)
        {
            int other = lot.Below(i + 1);
            (shuffled[i], shuffled[other]) = (shuffled[other], shuffled[i]);
        }

        return shuffled[..Math.Min(shuffled.Length, 1 + lot.Below(shuffled.Length))];
    }
}
