using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Sim;

/// <summary>What a scenario's director can do, and see.</summary>
internal sealed class Stage
{
    private const long Millisecond = 1_000_000;
    private const int Entity = 62;

    private readonly Gallery _gallery = new();

    public Stage(SimulatedCluster cluster)
    {
        Cluster = cluster;
        cluster.Checks.Add(_gallery);
    }

    public SimulatedCluster Cluster { get; }

    public Conspiracy Conspiracy => Cluster.Conspiracy;

    public WitnessParty[] Correct => [.. Cluster.Witnesses.Where(witness => !witness.IsByzantine)];

    public Party[] Receivers => [.. Cluster.All.Where(party => Cluster.IsReceiver(party.Id))];

    /// <summary>The first conspiring publisher, which from now on does only what it is told.</summary>
    public ConspiringPublisher Puppet
    {
        get
        {
            ConspiringPublisher publisher = Cluster.All.OfType<ConspiringPublisher>().First();
            publisher.IsScripted = true;
            return publisher;
        }
    }

    /// <summary>So many of <see cref="Correct"/> make a quorum together with all Byzantine witnesses.</summary>
    public int Enough => Cluster.Committee.Size.Quorum - Cluster.Plan.Byzantine.Count;

    public Lot Lot => Cluster.Simulation.Choices.Next(ChoiceStream.Adversary, Entity);

    public void At(int milliseconds, Action action) => Cluster.Simulation.After(milliseconds * Millisecond, action);

    /// <summary>Until the core heals.</summary>
    public void Every(int fromMilliseconds, int periodMilliseconds, Action action) => At(fromMilliseconds, () => Repeat(periodMilliseconds, action));

    /// <summary>Once, as soon as it is so.</summary>
    public void When(Func<bool> condition, Action action) => At(5, () =>
    {
        if (condition())
        {
            action();
        }
        else
        {
            When(condition, action);
        }
    });

    /// <summary>This seed shows what it is for.</summary>
    public void Reached(string what) => Cluster.Simulation.Probe(what);

    /// <summary>Fixes the two sides: correct witnesses and receivers by turns.</summary>
    public void TakeSides()
    {
        Cluster.Sides.AreFixed = true;
        foreach (Party party in Cluster.All)
        {
            Cluster.Sides[party] = Sides.Both;
        }

        for (int i = 0; i < Correct.Length; i++)
        {
            Cluster.Sides[Correct[i]] = i % 2;
        }

        for (int i = 0; i < Receivers.Length; i++)
        {
            Cluster.Sides[Receivers[i]] = i % 2;
        }
    }

    public void Cut(Party from, Party to, int milliseconds) => Cluster.Network.Cut(from.Id, to.Id, Cluster.Simulation.Now + (milliseconds * Millisecond));

    public void SilenceColluders()
    {
        foreach (ColludingWitness witness in Conspiracy.Witnesses)
        {
            witness.MuteUntil = long.MaxValue;
        }
    }

    public void End(Party party)
    {
        Lot lot = Lot;
        party.IsGone = true;
        party.Crash(isPowerCut: false, ref lot, "gone for ever");
    }

    public bool IsStored(BatchRef batch) => _gallery.Stored.Contains(batch.Digest);

    public bool IsDelivered(BatchRef batch) => _gallery.Delivered.Contains(batch.Digest);

    /// <summary>Correct witnesses that stored a batch's tip.</summary>
    public int StoredCount(BatchRef batch) => _gallery.StoredBy.Count(one => one.Digest == batch.Digest);

    public bool HasEvidence(Func<VerifiedEvidence, bool> about) => _gallery.Evidence.Exists(evidence => about(evidence));

    private void Repeat(int periodMilliseconds, Action action)
    {
        if (!Cluster.IsHealed)
        {
            action();
            At(periodMilliseconds, () => Repeat(periodMilliseconds, action));
        }
    }

    /// <summary>Watches, and never finds fault.</summary>
    private sealed class Gallery : Checker
    {
        public override string Name => "gallery";

        public SortedSet<Crypto.Digest> Stored { get; } = [];

        public SortedSet<(int Witness, Crypto.Digest Digest)> StoredBy { get; } = [];

        public SortedSet<Crypto.Digest> Delivered { get; } = [];

        public List<VerifiedEvidence> Evidence { get; } = [];

        public override void OnStored(int witness, StoredTip tip)
        {
            Stored.Add(tip.Certificate.Batch.Digest);
            StoredBy.Add((witness, tip.Certificate.Batch.Digest));
        }

        public override void OnDelivered(int receiver, Delivery delivery, bool isPossibleRepeat) => Delivered.Add(delivery.Batch.Digest);

        public override void OnEvidence(int party, VerifiedEvidence evidence) => Evidence.Add(evidence);
    }
}
