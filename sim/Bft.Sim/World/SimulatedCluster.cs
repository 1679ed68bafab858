using System.Buffers.Binary;
using System.Text;
using Bft.Client;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Storage;

namespace Bft.Sim;

/// <summary>A cluster with its publishers, receivers, network and faults, on one clock.</summary>
internal sealed class SimulatedCluster : RunFacts
{
    private const long Millisecond = 1_000_000;
    private const int SeatsEntity = 61;
    private const int HeldBytesMax = 64 * 1024; // small, so that it is reached
    private const int UnknownAcksMax = 64;
    private const int SettleMilliseconds = 250; // how often it is asked whether all that is due has happened

    private static readonly List<Checker> NoChecks = [];

    private readonly IdealSignatures _ideal = new();
    private readonly List<ISigner> _signers = [];
    private readonly Dictionary<PublicKey, int> _byKey = [];
    private readonly SortedDictionary<string, long> _excuses = new(StringComparer.Ordinal);
    private readonly SortedSet<int> _faulty = [];
    private readonly SortedSet<int> _outside = [];
    private readonly List<Party> _parties = [];
    private readonly List<string> _names = [];
    private readonly SortedDictionary<int, TwinWitness> _secondHalves = [];
    private readonly List<Topic> _topics = [];

    public SimulatedCluster(Simulation simulation, RunPlan plan)
    {
        Simulation = simulation;
        Plan = plan;
        Scheme = plan.RealSignatures ? Ed25519.Instance : _ideal;
        int clients = plan.Publishers + plan.Receivers + plan.ByzantinePublishers + plan.ByzantineReceivers;
        for (int i = 0; i < plan.Witnesses + clients; i++)
        {
            ISigner signer = NewSigner(i);
            _signers.Add(signer);
            _byKey.Add(signer.PublicKey, i);
        }

        File = NewCluster.Create(
            "simulated",
            new byte[32],
            [.. Enumerable.Range(0, plan.Witnesses).Select(i => new WitnessEntry(new WitnessIndex(i), new Uri($"https://w{i}:1"), _signers[i].PublicKey, default))],
            [.. Enumerable.Range(plan.Witnesses, clients).Select(i => new ClientEntry($"c{i}", _signers[i].PublicKey))],
            new ClusterLimits { WindowSlots = plan.WindowSlots });
        NodeLimits = NodeLimits.Default with { HeldBytesMax = HeldBytesMax, UnknownAcksMax = UnknownAcksMax, LiveIncarnationsMax = plan.LiveIncarnations, FetchAfterTicks = 2, FetchTimeoutTicks = 6 };
        SubscriptionOptions = SubscriptionOptions.Default with { QueueBytesMax = plan.QueueBytes };
        Network = new SimulatedNetwork(simulation, plan, new FrameText(Committee.Cluster)) { Route = RouteTo };
        Faults = new FaultDirector(this);
        for (int i = 0; i < plan.Topics; i++)
        {
            _topics.Add(new Topic($"topic-{i}"));
        }

        if (plan.StoreRotPpm > 0)
        {
            Checks.Add(new Readable(this));
        }

        Conspiracy = new Conspiracy(this);
        Sides = new Sides(this);
        int firstSeat = simulation.Choices.Next(ChoiceStream.Plan, SeatsEntity).Below(plan.Witnesses);
        for (int i = 0; i < plan.Witnesses; i++)
        {
            int seat = (i - firstSeat + plan.Witnesses) % plan.Witnesses;
            Add(seat < plan.Byzantine.Count ? NewAdversary(plan.Byzantine[seat], i) : new WitnessParty(this, i, $"W{i}", new WitnessIndex(i)), isByzantine: seat < plan.Byzantine.Count);
        }

        for (int i = 0; i < plan.Publishers; i++)
        {
            int share = (plan.Broadcasts / plan.Publishers) + (i < plan.Broadcasts % plan.Publishers ? 1 : 0);
            Add(new PublisherParty(this, _parties.Count, $"P{i}", _topics[i % plan.Topics], share), isByzantine: false);
        }

        for (int i = 0; i < plan.Receivers; i++)
        {
            Add(new ReceiverParty(this, _parties.Count, $"R{i}", _topics[i % plan.Topics]), isByzantine: false);
        }

        for (int i = 0; i < plan.ByzantinePublishers; i++)
        {
            Add(new ConspiringPublisher(this, _parties.Count, $"X{i}"), isByzantine: true);
        }

        for (int i = 0; i < plan.ByzantineReceivers; i++)
        {
            Add(new HostileReceiver(this, _parties.Count, $"Y{i}"), isByzantine: true);
        }

        // Last, so that no other party's index depends on them.
        foreach (TwinWitness twin in _parties.OfType<TwinWitness>().ToArray())
        {
            TwinWitness second = new(this, _parties.Count, twin.Name[..^1] + "b", twin.Index) { Half = 1, Identity = twin.Index.Value };
            _secondHalves.Add(twin.Index.Value, second);
            Add(second, isByzantine: true);
        }

        WitnessKeys = [.. _signers.Take(plan.Witnesses).Select(signer => signer.PublicKey)];
    }

    public Simulation Simulation { get; }

    public override RunPlan Plan { get; }

    public ISignatureScheme Scheme { get; }

    public ClusterFile File { get; }

    public Committee Committee => File.Committee;

    public NodeLimits NodeLimits { get; }

    public SubscriptionOptions SubscriptionOptions { get; }

    /// <summary>S2: of every topic.</summary>
    public RetentionPolicy Retention => Plan.RetainBytes > 0 ? RetentionPolicy.KeepAll with { Bytes = Plan.RetainBytes } : RetentionPolicy.KeepAll;

    public SimulatedNetwork Network { get; }

    public FaultDirector Faults { get; }

    public List<Checker> Checks { get; } = [];

    /// <summary>Those that hear what a party did of its own: none for a Byzantine one, whose claims mean nothing.</summary>
    public List<Checker> ChecksOf(Party party) => party.IsByzantine ? NoChecks : Checks;

    /// <summary>What Byzantine parties know together.</summary>
    public Conspiracy Conspiracy { get; }

    /// <summary>Which half of a twin, and which value of an equivocator, a party is shown.</summary>
    public Sides Sides { get; }

    public IReadOnlyList<Party> All => _parties;

    public IReadOnlyList<Topic> Topics => _topics;

    public IEnumerable<WitnessParty> Witnesses => _parties.OfType<WitnessParty>();

    public IEnumerable<PublisherParty> Publishers => _parties.OfType<PublisherParty>();

    public IReadOnlyDictionary<string, long> Excuses => _excuses;

    /// <summary>The first finding; the run ends there.</summary>
    public Violation? Violation { get; private set; }

    public bool IsHealed { get; private set; }

    public override ClusterId Cluster => Committee.Cluster;

    public override IReadOnlyList<PublicKey> WitnessKeys { get; }

    public override ISignatureScheme? Signatures => Plan.RealSignatures ? null : _ideal;

    public override IReadOnlyList<string> Parties => _names;

    public override long Now => Simulation.Now;

    public override bool IsBeyondModel => Plan.Byzantine.Count > Plan.FaultyMax;

    /// <summary>Faulty witnesses so far: Byzantine, without memory, gone for ever.</summary>
    public int FaultyCount => Witnesses.Where(witness => witness.Half == 0).Count(witness => _faulty.Contains(witness.Id) || _outside.Contains(witness.Id));

    public override bool IsWitness(int party) => _parties[party] is WitnessParty;

    public override bool IsPublisher(int party) => _parties[party] is PublisherParty;

    public override bool IsReceiver(int party) => _parties[party] is ReceiverParty;

    public override bool IsCorrect(int party) => !_faulty.Contains(party);

    public override bool IsInCore(int party) => !_faulty.Contains(party) && !_outside.Contains(party) && !_parties[party].IsGone;

    public override int PartyOf(PublicKey key) => _byKey.GetValueOrDefault(key, -1);

    public override Topic TopicOf(int party) => _parties[party] switch
    {
        PublisherParty publisher => publisher.Topic,
        ReceiverParty receiver => receiver.Topic,
        _ => throw new ArgumentOutOfRangeException(nameof(party)),
    };

    public override BatchRef? StoredTip(int witness, StreamId stream) =>
        _parties[witness] is WitnessParty { IsUp: true } party && party.Store.TryFind(stream, out StreamLog? log) ? log.Tip : null;

    public override bool RemembersAck(int witness, BatchRef batch) =>
        _parties[witness] is not WitnessParty { IsUp: true } party
        || party.Role.Find(batch.Stream) is not { } stream
        || stream.StoredEnd > batch.Sequence
        || stream.AckedAt(batch.Sequence)?.Reference == batch;

    public override bool KnowsMemoryLost(int witness) => _parties[witness] is not WitnessParty { IsUp: true } party || party.Role.HasLostMemory;

    public override bool KnowsProven(int witness, StreamId stream) =>
        _parties[witness] is not WitnessParty { IsUp: true } party || party.Role.Find(stream) is not { IsPublisherProven: false };

    public override bool KnowsRetired(int witness, StreamHeader header) =>
        _parties[witness] is not WitnessParty { IsUp: true } party || (party.Role.IsRetired(header) && party.Role.Find(header.Id) is not { Listing: not null });

    public override int LiveIncarnationsMax => NodeLimits.LiveIncarnationsMax;

    public override int Outstanding(int publisher) => _parties[publisher] is PublisherParty party ? party.Left + party.InFlight : 0;

    public ISigner SignerOf(WitnessIndex witness) => _signers[witness.Value];

    public ISigner SignerOf(Party client) => _signers[client.Identity];

    public PublicKey KeyOf(Party party) => _signers[party.Identity].PublicKey;

    public static int IndexOf(Party witness) => ((WitnessParty)witness).Index.Value;

    public JournalId JournalIdOf(Party party)
    {
        byte[] bytes = new byte[JournalId.Bytes];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Simulation.Choices.Next(ChoiceStream.Disk, party.Id).Bits());
        return JournalId.FromRandom(bytes);
    }

    /// <summary>A message that no other is like.</summary>
    public byte[] PayloadOf(Party publisher, int batch, int message)
    {
        byte[] text = Encoding.ASCII.GetBytes($"{publisher.Name}#{batch}.{message} ");
        Array.Resize(ref text, Math.Max(text.Length, Plan.PayloadBytes));
        return text;
    }

    /// <summary>Runs to the end: chaos, healing, until all that is due has happened.</summary>
    public void Run()
    {
        foreach (Checker check in Checks)
        {
            check.Facts = this;
            check.Report = found => Violation ??= Note(found);
        }

        Network.Sent = (from, to, frame, bytes) =>
        {
            foreach (Checker check in Checks)
            {
                check.OnSent(from.Id, to.Id, frame, bytes);
            }
        };
        foreach (Party party in _parties)
        {
            Lot lot = Simulation.Choices.Next(ChoiceStream.Plan, party.Id);
            party.ClockOffset = lot.Between(-Plan.ClockSkewMilliseconds, Plan.ClockSkewMilliseconds);
            Simulation.After(party.StartDelay + lot.Between(1, 5 * Millisecond), party.Start);
        }

        Simulation.RunUntil(Plan.ChaosMilliseconds * Millisecond, () => Violation is not null);
        if (Violation is null)
        {
            Heal();
            Settle();
            if (Violation is null)
            {
                // What comes too often or too late would come now; and what an adversary held back till now has its time too.
                Simulation.RunUntil(Simulation.Now + (Plan.QuietMilliseconds * Millisecond), () => Violation is not null);
                Settle();
            }
        }

        if (Violation is null)
        {
            Checks.ForEach(check => check.OnEnd());
        }

        foreach (KeyValuePair<string, long> excuse in Checks.SelectMany(check => check.Excuses))
        {
            _excuses[excuse.Key] = _excuses.GetValueOrDefault(excuse.Key) + excuse.Value;
        }
    }

    /// <summary>From now on this party is not correct: it is Byzantine, or its disk lost what was durable.</summary>
    public void MarkFaulty(Party party) => _faulty.Add(party.Id);

    /// <summary>From now on nothing that this party does is told to checkers, and nothing is expected of it.</summary>
    public void MarkByzantine(Party party)
    {
        party.IsByzantine = true;
        MarkFaulty(party);
    }

    /// <summary>Before the first event: a publisher's key and journal are copied at a time, and a second process goes on with them.</summary>
    public PublisherParty Copy(PublisherParty publisher, int milliseconds)
    {
        PublisherParty copy = new(this, _parties.Count, publisher.Name + "b", publisher.Topic, publisher.Left) { Identity = publisher.Id, IsGone = true };
        MarkByzantine(publisher);
        Add(copy, isByzantine: true);
        Simulation.After(milliseconds * Millisecond, () =>
        {
            copy.Disk = publisher.Disk.Clone();
            copy.IsGone = false;
            copy.Start();
        });
        return copy;
    }

    /// <summary>When the core heals, this witness is not of it: what ails it stays for ever.</summary>
    public void LeaveOut(WitnessParty witness) => _outside.Add(witness.Id);

    public void Excuse(string why) => _excuses[why] = _excuses.GetValueOrDefault(why) + 1;

    public void OnReplayed(WitnessParty witness, WitnessJournal journal)
    {
        if (journal.WasTailCut)
        {
            Simulation.Probe("torn tail cut", witness.Id);
        }

        if (journal.PagesRead > 0)
        {
            Simulation.Probe("index read from pages (S2)", witness.Id);
        }

        if (journal.Journal.WasScanned)
        {
            Simulation.Probe("checkpoint lost, all replayed (S2)", witness.Id);
        }
    }

    public void OnPublisherEnded(PublisherParty publisher, PublishException reason)
    {
        Excuse($"publisher ended: {reason.GetType().Name}");
        foreach (Checker check in ChecksOf(publisher))
        {
            check.OnPublisherEnded(publisher.Id, reason.Message);
        }
    }

    /// <summary>A correct party never throws.</summary>
    public void OnThrown(Party party, Exception fault)
    {
        foreach (Checker check in ChecksOf(party))
        {
            check.OnThrew(party.Id, fault);
        }

        Simulation.Note(TraceKind.Note, party.Id, $"threw: {fault.Message}");
        party.IsGone = true;
    }

    private long HealMilliseconds => Plan.HealMilliseconds > 0 ? Plan.HealMilliseconds : 60_000 + (Plan.Broadcasts * 500L);

    /// <summary>Until all that is due has happened, or the time for it is over.</summary>
    private void Settle()
    {
        long bound = Simulation.Now + (HealMilliseconds * Millisecond);
        while (Violation is null && Simulation.Now < bound && !IsSettled())
        {
            Simulation.RunUntil(Math.Min(bound, Simulation.Now + (SettleMilliseconds * Millisecond)), () => Violation is not null);
        }
    }

    private bool IsSettled() => Publishers.All(publisher => publisher.IsByzantine || publisher.IsGone || publisher.IsEnded || (publisher.IsUp && publisher.Left + publisher.InFlight == 0)) && Checks.TrueForAll(check => check.IsSettled);

    /// <summary>n − f correct witnesses and all correct clients become a core that works; everything else stays broken for ever.</summary>
    private void Heal()
    {
        Lot lot = Simulation.Choices.Next(ChoiceStream.Plan, 60);
        List<WitnessParty> correct = [.. Witnesses.Where(witness => IsInCore(witness.Id))];
        while (FaultyCount < Plan.FaultyMax && correct.Count > 0)
        {
            WitnessParty unlucky = correct[lot.Below(correct.Count)];
            correct.Remove(unlucky);
            _outside.Add(unlucky.Id);
        }

        Faults.Heal(party => _outside.Contains(party.Id));
        Network.Calm();
        IsHealed = true;
        Simulation.Note(TraceKind.Heal, -1, "the core heals");
        Checks.ForEach(check => check.OnHealed());
    }

    private Violation Note(Violation found)
    {
        Simulation.Note(TraceKind.Violation, found.Parties.Count > 0 ? found.Parties[0] : -1, $"{found.Checker}: {found.Text}");
        return found;
    }

    private ISigner NewSigner(int party)
    {
        if (!Plan.RealSignatures)
        {
            return _ideal.SignerOf(party);
        }

        byte[] seed = new byte[32];
        BinaryPrimitives.WriteInt32LittleEndian(seed, party + 1);
        return new Ed25519Signer(seed);
    }

    private Party RouteTo(Party caller, int witness) =>
        _secondHalves.TryGetValue(witness, out TwinWitness? second) && Sides.HalfFor(caller) == 1 ? second : _parties[witness];

    private WitnessParty NewAdversary(AdversaryKind kind, int seat)
    {
        WitnessIndex index = new(seat);
        return kind switch
        {
            AdversaryKind.Twins => new TwinWitness(this, seat, $"W{seat}a", index),
            AdversaryKind.Mutator => new MutatorWitness(this, seat, $"W{seat}", index),
            AdversaryKind.Colluder => new ColludingWitness(this, seat, $"W{seat}", index),
            _ => new SilentWitness(this, seat, $"W{seat}", index),
        };
    }

    private void Add(Party party, bool isByzantine)
    {
        _parties.Add(party);
        _names.Add(party.Name);
        if (isByzantine)
        {
            MarkByzantine(party);
        }
    }
}
