namespace Bft.Sim.SmallScope;

/// <summary>A global state: each correct witness's state, by number. The network needs no place in it.</summary>
/// <remarks>
/// What was ever sent stays deliverable, to anybody, any number of times, or never: so what is in flight follows from what each witness has
/// shown, and a Byzantine one has sent everything. That is every order, loss and duplication at once.
/// Rotating the correct witnesses changes nothing, as each knows its peers by distance only: of the rotations of a state the least stands for all.
/// </remarks>
internal sealed class Cluster(SmallWorld world, WitnessStates states)
{
    private readonly int _bits = 128 / world.Correct;

    public SmallWorld World => world;

    public WitnessStates States => states;

    public UInt128 Pack(ReadOnlySpan<int> witnesses)
    {
        UInt128 least = UInt128.MaxValue;
        for (int first = 0; first < witnesses.Length; first++)
        {
            UInt128 packed = 0;
            for (int i = 0; i < witnesses.Length; i++)
            {
                packed = (packed << _bits) | (uint)witnesses[(first + i) % witnesses.Length];
            }

            least = UInt128.Min(least, packed);
        }

        return least;
    }

    public int[] Unpack(UInt128 packed)
    {
        int[] witnesses = new int[world.Correct];
        UInt128 mask = (UInt128.One << _bits) - 1;
        for (int i = witnesses.Length - 1; i >= 0; i--)
        {
            witnesses[i] = (int)(packed & mask);
            packed >>= _bits;
        }

        return witnesses;
    }

    /// <summary>Crashes of all witnesses but one.</summary>
    public int CrashesOfOthers(ReadOnlySpan<int> witnesses, int self)
    {
        int crashes = 0;
        for (int i = 0; i < witnesses.Length; i++)
        {
            crashes += i == self ? 0 : states[witnesses[i]].Crashes;
        }

        return crashes;
    }

    /// <summary>Messages that can be delivered to a witness: a bit per input.</summary>
    public UInt128 DeliverableTo(int self, ReadOnlySpan<int> witnesses)
    {
        SmallInputs inputs = world.Inputs;
        UInt128 mask = 0;
        for (int batch = 0; batch < world.Batches; batch++)
        {
            mask |= SmallInputs.Bit(SmallInputs.Batch(batch));
        }

        for (int claim = 0; claim < world.Claims.Count; claim++)
        {
            for (int peer = 1; peer < world.Witnesses; peer++)
            {
                if (peer >= world.Correct || (states[witnesses[(self + peer) % world.Correct]].Claimed & (1UL << claim)) != 0)
                {
                    mask |= SmallInputs.Bit(inputs.Ack(peer, claim));
                }
            }

            if (IsCertifiable(claim, witnesses))
            {
                mask |= SmallInputs.Bit(inputs.Certificate(claim)) | SmallInputs.Bit(inputs.Range(claim));
                foreach (int batch in world.BatchesOf(claim))
                {
                    mask |= SmallInputs.Bit(inputs.Covered(batch));
                }
            }
        }

        return mask;
    }

    /// <summary>What does not hold between witnesses in this state; null when all does.</summary>
    public string? WhyWrong(ReadOnlySpan<int> witnesses)
    {
        for (int claim = 0; claim < world.Claims.Count; claim++)
        {
            for (int other = 0; other < claim; other++)
            {
                if (!world.AreCompatible(claim, other) && IsCertifiable(claim, witnesses) && IsCertifiable(other, witnesses))
                {
                    return $"Consistency: {world.NameOfClaim(other)} and {world.NameOfClaim(claim)} can both be certified.";
                }
            }
        }

        for (int i = 0; i < witnesses.Length; i++)
        {
            if (states[witnesses[i]].Violation is { } violation)
            {
                return violation;
            }

            for (int j = 0; j < i; j++)
            {
                if (WhyApart(states[witnesses[i]].Tip, states[witnesses[j]].Tip) is { } apart)
                {
                    return apart;
                }
            }
        }

        return null;
    }

    /// <summary>Stored tips of two witnesses lie on one chain.</summary>
    public string? WhyApart(int tip, int other) =>
        tip < 0 || other < 0 || world.AreOnOneChain(tip, other) ? null : $"Consistency: {world.NameOf(tip)} and {world.NameOf(other)} are both stored.";

    /// <summary>A quorum acked this batch from this base or lower, or would with the Byzantine witnesses' help.</summary>
    private bool IsCertifiable(int claim, ReadOnlySpan<int> witnesses)
    {
        (int batch, int from) = world.Claims[claim];
        int votes = world.Witnesses - world.Correct;
        bool isExact = votes > 0;
        foreach (int witness in witnesses)
        {
            ulong claimed = states[witness].Claimed;
            bool counts = false;
            for (int other = 0; other < world.Claims.Count; other++)
            {
                if ((claimed & (1UL << other)) != 0 && world.Claims[other].Batch == batch && world.Claims[other].Base <= from)
                {
                    counts = true;
                    isExact |= other == claim;
                }
            }

            votes += counts ? 1 : 0;
        }

        return isExact && votes >= world.Quorum;
    }
}
