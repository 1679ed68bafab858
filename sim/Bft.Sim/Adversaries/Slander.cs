using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>What a colluding witness tells its peers by chance, beside what the conspiracy plans: evidence that proves nothing, made of what others truly signed, and acks of what nobody knows.</summary>
internal sealed class Slander(SimulatedCluster cluster, ColludingWitness witness)
{
    private const int FirstEntity = 64; // above all parties: its chance moves nobody else's
    private const int FloodLeaves = 48;

    private int _liePpm = -1;

    private Conspiracy Conspiracy => cluster.Conspiracy;

    public void OnTick()
    {
        int entity = FirstEntity + witness.Id;
        if (_liePpm < 0)
        {
            _liePpm = cluster.Simulation.Choices.Next(ChoiceStream.Adversary, entity).Of([0, 20_000, 100_000]);
        }

        if (cluster.Simulation.Choices.Fault(ChoiceStream.Adversary, entity, cluster.IsHealed ? _liePpm / 4 : _liePpm, out Lot lot) && Lie(ref lot) is var (frame, what))
        {
            WitnessParty to = lot.Of([.. cluster.Witnesses.Where(party => !party.IsByzantine)]);
            cluster.Simulation.Choices.Record(lot.Id, $"{witness.Name} {what} to {to.Name}");
            cluster.Simulation.Note(TraceKind.Attack, witness.Id, what, to.Id);
            witness.Tell(to.Id, frame);
        }
    }

    private (IExchangeRequest Frame, string What)? Lie(ref Lot lot) => lot.Below(6) switch
    {
        0 => Flood(ref lot),
        1 => OfAPublisher(ref lot),
        2 => OfTwo(ref lot),
        _ => OfOne(ref lot),
    };

    /// <summary>Under one root: acks in streams that nobody has heard of, and far ahead in one that is known.</summary>
    private (IExchangeRequest Frame, string What) Flood(ref Lot lot)
    {
        AckStatement[] claims = new AckStatement[FloodLeaves];
        StreamId? known = Conspiracy.Acked.Count > 0 ? lot.Of(Conspiracy.Acked).Stream : null;
        for (int i = 0; i < claims.Length; i++)
        {
            Digest random = Sha256.Hash(BitConverter.GetBytes(lot.Bits()));
            Slot slot = known is { } stream && i % 2 == 0 ? new Slot(stream, new Sequence((ulong)lot.Between(0, 100_000))) : new Slot(new StreamId(random), Sequence.Zero);
            claims[i] = new AckStatement(new BatchRef(slot.Stream, slot.Sequence, random), slot.Sequence);
        }

        return (new AcksFrame(witness.Claim(claims).Encode()), "acks what nobody knows");
    }

    /// <summary>Two statements of one publisher in two slots, or one statement twice.</summary>
    private (IExchangeRequest Frame, string What)? OfAPublisher(ref Lot lot)
    {
        if (Conspiracy.Batches.Count == 0)
        {
            return null;
        }

        SignedBatch first = lot.Of(Conspiracy.Batches);
        SignedBatch second = lot.Of(Conspiracy.Batches);
        return Evidence(new PublisherEquivocation(new SignedStatement(first.Statement, first.Signature), new SignedStatement(second.Statement, second.Signature)), "accuses a publisher of two slots");
    }

    /// <summary>Another's ack, and its own of another batch in that slot.</summary>
    private (IExchangeRequest Frame, string What)? OfTwo(ref Lot lot)
    {
        if (Conspiracy.Acked.Count == 0)
        {
            return null;
        }

        BatchRef batch = lot.Of(Conspiracy.Acked);
        AckBundle own = witness.Claim(new AckStatement(batch with { Digest = SmallLies.Bent(batch.Digest) }, batch.Sequence));
        return Conspiracy.AckOf(lot.Of([.. Conspiracy.AckersOf(batch)]), batch) is { } other
            ? Evidence(new WitnessEquivocation(new AckWithChain(other, []), new AckWithChain(own, [])), "accuses a peer of its own ack")
            : null;
    }

    /// <summary>Two acks of one witness, in one slot or in two that follow, the upper one led down by its statement: whether its base reaches so far or not.</summary>
    private (IExchangeRequest Frame, string What)? OfOne(ref Lot lot)
    {
        if (Conspiracy.Acked.Count == 0)
        {
            return null;
        }

        BatchRef upper = lot.Of(Conspiracy.Acked);
        int accused = lot.Of([.. Conspiracy.AckersOf(upper)]);
        BatchRef[] others = [.. Conspiracy.Acked.Where(batch => IsNear(batch, upper) && Conspiracy.AckersOf(batch).Contains(accused))];
        BatchRef lower = others.Length == 0 ? upper : lot.Of(others);
        ReadOnlyMemory<byte>[] chain = lower.Sequence < upper.Sequence && Conspiracy.StatementOf(upper) is { } statement ? [statement] : [];
        return Conspiracy.AckOf(accused, upper) is { } first && Conspiracy.AckOf(accused, lower) is { } second
            ? Evidence(new WitnessEquivocation(new AckWithChain(first, chain), new AckWithChain(second, [])), $"accuses {cluster.All[accused].Name} of two acks")
            : null;
    }

    private static bool IsNear(in BatchRef batch, in BatchRef upper) =>
        batch.Stream == upper.Stream && batch != upper && batch.Sequence <= upper.Sequence && batch.Sequence.Value + 1 >= upper.Sequence.Value;

    private static (IExchangeRequest Frame, string What) Evidence(Evidence evidence, string what) => (new EvidenceFrame(evidence.Encode()), what);
}
