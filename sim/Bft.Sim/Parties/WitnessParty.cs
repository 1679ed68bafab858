using System.Buffers;
using Bft.Crypto;
using Bft.Node;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Roles;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;
using Bft.Storage;
using Bft.Wire;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>A witness process: the node's own driver, intakes and answers, on a simulated disk and network.</summary>
internal class WitnessParty(SimulatedCluster cluster, int id, string name, WitnessIndex index) : Party(cluster, id, name), IWitnessOutputs
{
    private const int HeartbeatMs = 1000;
    private const int SlowConsumerMs = 5_000;
    private const int CallPatienceMs = 2_000;
    private const int AckWindows = 2;
    private const int SlotWindows = 6; // C3: two of what may come, four of what was left behind

    private static readonly HeartbeatFrame Heartbeat = new();

    private readonly WitnessProbes _probes = new(cluster, id);
    private readonly List<Connection> _publishers = [];
    private readonly List<Connection> _readers = [];
    private readonly List<Connection> _fetches = [];
    private readonly Connection?[] _peers = new Connection?[cluster.Plan.Witnesses];
    private readonly long[] _redialAt = new long[cluster.Plan.Witnesses];
    private WitnessRole _role = null!;
    private WitnessDriver _driver = null!;
    private BatchStore _store = null!;
    private Journal _journal = null!;
    private StoreScrub? _scrub;
    private BatchVerifier _batches = null!;
    private bool _isFlushing;
    private int _sendsLeft = int.MaxValue;

    public WitnessIndex Index { get; } = index;

    public BatchStore Store => _store;

    /// <summary>Bytes on their way to one reader.</summary>
    private long ServingWindow => 2L * Cluster.Plan.QueueBytes;

    public WitnessRole Role => _role;

    /// <summary>How often its disk was damaged since it was last up; each time may cost the last commit, which looks torn then.</summary>
    public ulong Damages { get; set; }

    /// <summary>Its disk was replaced or emptied since it was last up: no telling from it what it held.</summary>
    public bool IsDiskLost { get; set; }

    /// <summary>Its last durable commit.</summary>
    public ulong Mark => _driver.DurableMark.Value;

    /// <summary>Twins: which of the two of one identity this is; others are 0.</summary>
    public int Half { get; init; }

    public ISigner Signer => Cluster.SignerOf(Index);

    /// <summary>Rounds of its scrub since it started; -1 when it has none.</summary>
    public int ScrubRounds => _scrub?.Rounds ?? -1;

    /// <summary>A bit of what it stores flips; false when nothing is there yet.</summary>
    public bool Rot(ref Lot lot) => StoreScrub.TryRot(Disk, _journal, _store, ref lot);

    /// <summary>S2: it makes a checkpoint as soon as it may.</summary>
    public void WantCheckpoint() => _driver.IsCheckpointWanted = true;

    protected override void OnStart()
    {
        ISignatureScheme scheme = Cluster.Scheme;
        _store = new BatchStore(pageRows: Cluster.Plan.SegmentBytes / 1024);
        _batches = new BatchVerifier(Cluster.Committee.Cluster, Cluster.Committee.Limits, scheme);
        _role = new WitnessRole(Cluster.Committee, Index, Signer, Cluster.NodeLimits);
        JournalOptions options = new() { NewId = Cluster.JournalIdOf(this), SegmentBytes = Cluster.Plan.SegmentBytes };
        WitnessJournal journal = WitnessJournal.Open(Disk, options, Cluster.Committee, Index, scheme, _role, _store, _ => Cluster.Retention);
        _journal = journal.Journal;
        _scrub = Cluster.Plan.StoreRotPpm > 0 ? new StoreScrub(Disk, journal.Journal, _store) : null;
        Cluster.OnReplayed(this, journal);
        foreach (Checker check in Cluster.ChecksOf(this))
        {
            check.OnReplayed(Id, journal.Journal.DurableMark, IsDiskLost);
        }

        if (Damages > 0 && !IsDiskLost)
        {
            Cluster.Checks.ForEach(check => check.OnDamagedStart(Id, journal.Journal.DurableMark + Damages, Mark));
        }

        (Damages, IsDiskLost) = (0, false);

        _driver = new WitnessDriver(_role, journal, _store, this, Index, Cluster.Plan.Witnesses)
        {
            Decided = OnDecided,
            Mended = OnMended,
            Performed = commit =>
            {
                OnSealed(commit);
                OnPerformed(commit);
            },
        };
        Protocol.Model.Run run = NextRun();
        _driver.Start(run);
        _driver.Tick(ClockMs);
        OnStarted(run);
        SealSoon();
    }

    protected virtual Protocol.Model.Run NextRun() => new(Cluster.Simulation.Choices.Next(ChoiceStream.Workload, Id).Bits());

    /// <summary>The driver runs; it asks its peers (W9).</summary>
    protected virtual void OnStarted(Protocol.Model.Run run)
    {
    }

    protected override void OnCrash()
    {
        _publishers.Clear();
        _readers.Clear();
        _fetches.Clear();
        Array.Clear(_peers);
        Array.Clear(_redialAt);
        _isFlushing = false;
        _sendsLeft = int.MaxValue;
    }

    protected override void OnTick()
    {
        _driver.Tick(ClockMs);
        _scrub?.OnTick(found => Apply(new ScrubbedInput(found)));
        int ackedSlots = _role.AckedSlotCountMax;
        int unknownAcks = _role.UnknownAckCount;
        int slots = _role.SlotCountMax;
        foreach (Checker check in Cluster.ChecksOf(this))
        {
            check.OnAmount(Id, "held bytes", _role.HeldBodyBytes, Cluster.NodeLimits.HeldBytesMax);
            check.OnAmount(Id, "slots with acks of a stream", ackedSlots, AckWindows * Cluster.Plan.WindowSlots);
            check.OnAmount(Id, "acks of unknown streams", unknownAcks, Cluster.NodeLimits.UnknownAcksMax * Cluster.Plan.Witnesses);
            check.OnAmount(Id, "slots of a stream", slots, SlotWindows * Cluster.Plan.WindowSlots);
        }

        for (int peer = 0; peer < _peers.Length; peer++)
        {
            if (peer != Index.Value && _peers[peer] is null && Dials(peer) && Cluster.Simulation.Now >= _redialAt[peer])
            {
                _peers[peer] = Cluster.Network.Open(this, peer, ChannelKind.Exchange, new PeerCall());
            }
            else if (_peers[peer] is { IsOpen: true } call && ((PeerCall)call.ClientState!).IsHeartbeatDue(SteadyMs, HeartbeatMs))
            {
                Send(call, Heartbeat);
            }
        }

        foreach (Connection reader in _readers.ToArray())
        {
            Reader state = (Reader)reader.ServerState!;
            if (reader.BytesToClient < ServingWindow)
            {
                state.StuckSince = SteadyMs;
                if (state.Feed is not null && SteadyMs - state.LastSent > HeartbeatMs)
                {
                    Serve(reader, state, state.Feed.ToHeartbeat());
                }
            }
            else if (SteadyMs - state.StuckSince > SlowConsumerMs)
            {
                // R6: it resumes from its cursor.
                Cluster.Simulation.Probe("slow consumer ended", Id);
                Send(reader, new EndFrame(EndReason.SlowConsumer, "nothing was read"));
                _readers.Remove(reader);
                state.Feed = null;
                Cluster.Network.Finish(reader);
            }
        }

        foreach (Connection fetch in _fetches.ToArray())
        {
            if (SteadyMs - ((FetchTask)fetch.ClientState!).Since > CallPatienceMs)
            {
                EndFetch(fetch);
            }
        }

        SealSoon();
    }

    public override void OnAccepted(Connection connection)
    {
        switch (connection.Kind)
        {
            case ChannelKind.Publish:
                connection.ServerState = new PublishIntake(
                    Cluster.File, _store, _batches, Cluster.Scheme, Cluster.KeyOf(connection.Client), _driver.HandOvers, (frame, _) => Send(connection, frame));
                _publishers.Add(connection);
                break;
            case ChannelKind.Exchange:
                connection.ServerState = new ExchangeIntake(Cluster.Committee, Index, IndexOf(connection.Client), _store, new CountedSignatures(Cluster.Scheme));
                break;
            case ChannelKind.Bodies or ChannelKind.Tips:
                connection.ServerState = new Reader { StuckSince = SteadyMs };
                break;
            default:
                break;
        }
    }

    public override void OnOpened(Connection connection)
    {
        if (connection.Kind == ChannelKind.Exchange)
        {
            Apply(new PeerConnectedInput(IndexOf(connection.Server)));
        }
        else if (connection.ClientState is FetchTask fetch)
        {
            fetch.Since = SteadyMs;
            Send(connection, fetch.Request);
        }
    }

    public override void OnClosed(Connection connection)
    {
        _publishers.Remove(connection);
        (connection.ServerState as PublishIntake)?.OnClosed();
        _readers.Remove(connection);
        if (connection.Client == this && connection.Kind == ChannelKind.Exchange)
        {
            int peer = IndexOf(connection.Server).Value;
            _peers[peer] = null;
            _redialAt[peer] = Cluster.Simulation.Now + (200L * 1_000_000);
        }
        else if (connection.ClientState is FetchTask)
        {
            EndFetch(connection);
        }
    }

    public override void OnMessage(Connection connection, byte[] bytes)
    {
        ReadOnlySequence<byte> message = new(bytes);
        switch (connection.Kind)
        {
            case ChannelKind.Publish:
                Take(connection, ((PublishIntake)connection.ServerState!).Take(FrameCodec.Decode<IPublishRequest>(message)));
                break;
            case ChannelKind.Exchange:
                IExchangeRequest told = FrameCodec.Decode<IExchangeRequest>(message);
                _probes.IsTold = told is EvidenceFrame;
                if (told is RecallFrame recall)
                {
                    foreach (Checker check in Cluster.ChecksOf(this))
                    {
                        check.OnRecalled(Id, connection.Client.Identity, recall);
                    }
                }

                Take(connection, ((ExchangeIntake)connection.ServerState!).Take(told));
                _probes.IsTold = false;
                break;
            case ChannelKind.Fetch when connection.Client == this:
                OnFetched(connection, FrameCodec.Decode<IFetchReply>(message));
                break;
            case ChannelKind.Fetch:
                Answer(connection, FrameCodec.Decode<IFetchRequest>(message));
                break;
            case ChannelKind.Bodies or ChannelKind.Tips:
                Begin(connection, FrameCodec.Decode<ISubscribeRequest>(message));
                break;
            default:
                break;
        }
    }

    public override void OnDrained(Connection connection) => Serve(connection);

    void IWitnessOutputs.ToPeer(WitnessIndex? peer, IExchangeRequest frame, int bytes)
    {
        for (int other = 0; other < _peers.Length; other++)
        {
            if ((peer is null || peer.Value.Value == other) && _peers[other] is { IsOpen: true } call)
            {
                ((PeerCall)call.ClientState!).LastSent = SteadyMs;
                Send(call, frame);
            }
        }
    }

    void IWitnessOutputs.TipToPeer(WitnessIndex? peer, StreamId stream, TipFrame tip) => ((IWitnessOutputs)this).ToPeer(peer, tip, 0);

    void IWitnessOutputs.ToPublisher(PublicKey publisher, IPublishReply frame, int bytes)
    {
        foreach (Connection call in _publishers.ToArray())
        {
            if (Cluster.KeyOf(call.Client) == publisher)
            {
                Send(call, frame);
            }
        }
    }

    void IWitnessOutputs.TipToPublisher(PublicKey publisher, StreamId stream, TipFrame tip) => ((IWitnessOutputs)this).ToPublisher(publisher, tip, 0);

    void IWitnessOutputs.TopicRose(Topic topic)
    {
        foreach (Connection reader in _readers.ToArray())
        {
            if (((Reader)reader.ServerState!).Topic == topic)
            {
                Serve(reader);
            }
        }
    }

    void IWitnessOutputs.Fetch(FetchOrder order) => Fetch(order.Peer, new FetchTask(order, new CatchUpIntake(Cluster.File, Cluster.Scheme, _batches, order, EdgeLimits.Default.InputBytesPerCallMax)));

    void IWitnessOutputs.Abandon(FetchOrder order) => Abandon(order);

    void IWitnessOutputs.Repair(RepairOrder order) => Fetch(order.Peer, new FetchTask(order, new RepairIntake(Cluster.File, Cluster.Scheme, _batches, _store, order)));

    void IWitnessOutputs.Abandon(RepairOrder order) => Abandon(order);

    private void Fetch(WitnessIndex peer, FetchTask task)
    {
        task.Since = SteadyMs;
        _fetches.Add(Cluster.Network.Open(this, peer.Value, ChannelKind.Fetch, task));
    }

    private void Abandon(object order)
    {
        if (_fetches.Find(fetch => ((FetchTask)fetch.ClientState!).Order.Equals(order)) is { } abandoned)
        {
            // Not at once: the core is in the middle of an input.
            After(1_000, () => EndFetch(abandoned));
        }
    }

    void IWitnessOutputs.Answer(StoredSlotOffer offer)
    {
        Intake intake = new StoredAnswers(_store, _batches).Of(offer);
        if (intake.Reply is { } reply)
        {
            ((IWitnessOutputs)this).ToPublisher(offer.Offered.Statement.Header.Publisher, reply, 0);
        }

        if (intake.Input is { } input)
        {
            After(1_000, () => Apply(input));
        }
    }

    void IWitnessOutputs.Log(string line) => Cluster.Simulation.Trace?.Add(new TraceEvent(Cluster.Simulation.Trace.Count, Cluster.Simulation.Now, TraceKind.Note, Id, -1, 0, line));

    /// <summary>Readers of a topic, with bodies or without, in the order in which they came.</summary>
    protected IEnumerable<Connection> ReadersOf(Topic topic) => _readers.Where(reader => reader.IsOpen && ((Reader)reader.ServerState!).Topic == topic);

    /// <summary>Open calls of publishers, in the order in which they came.</summary>
    protected IEnumerable<Connection> Publishers => _publishers.Where(call => call.IsOpen);

    /// <summary>The open exchange with a peer; null when there is none.</summary>
    protected Connection? CallTo(int peer) => peer < _peers.Length && _peers[peer] is { IsOpen: true } call ? call : null;

    /// <summary>Whether it tells this peer anything.</summary>
    protected virtual bool Dials(int peer) => true;

    /// <summary>What leaves passes here.</summary>
    protected virtual void Send(Connection connection, IFrame frame)
    {
        if (_sendsLeft-- == 0)
        {
            throw new PowerCutException();
        }

        if (frame is FloorFrame)
        {
            Cluster.Simulation.Probe("retention cut", Id);
        }

        Cluster.Network.Send(connection, this, frame);
        (frame as BodyFrame)?.BodyOwner?.Dispose();
    }

    private static WitnessIndex IndexOf(Party party) => ((WitnessParty)party).Index;

    private void OnDecided(WitnessEffects effects)
    {
        _probes.OnDecided(effects);
        if (effects.Records.Count + effects.StoredTips.Count + effects.Evidence.Count == 0)
        {
            return; // as most inputs end
        }

        foreach (Checker check in Cluster.ChecksOf(this))
        {
            foreach (WitnessRecord record in effects.Records)
            {
                check.OnRecord(Id, record);
            }

            foreach (StoredTip tip in effects.StoredTips)
            {
                check.OnStored(Id, tip);
            }

            foreach (VerifiedEvidence evidence in effects.Evidence)
            {
                check.OnEvidence(Id, evidence);
            }
        }

        foreach (StoredTip tip in effects.StoredTips)
        {
            Cluster.Simulation.Note(TraceKind.Stored, Id, Cluster.Simulation.Trace is null ? "" : FrameText.Of(tip.Certificate.Batch));
        }

        foreach (VerifiedEvidence evidence in effects.Evidence)
        {
            Cluster.Simulation.Note(TraceKind.Evidence, Id, Cluster.Simulation.Trace is null ? "" : $"{evidence}");
        }
    }

    private void OnMended(VerifiedCertificate certificate)
    {
        foreach (Checker check in Cluster.ChecksOf(this))
        {
            check.OnMended(Id, certificate);
        }
    }

    protected void Apply(CoreInput input)
    {
        CountedAck[] counted = input is AcksInput acks ? [.. acks.Acks.Select(ack => new CountedAck(ack, _role.Find(ack.Batch.Stream)!)).Where(IsCounted)] : [];
        _driver.Apply(input);
        if (counted.Length > 0)
        {
            foreach (Checker check in Cluster.ChecksOf(this))
            {
                check.OnAcksCounted(Id, counted);
            }
        }

        SealSoon();
    }

    /// <summary>C3: of a stream that it knows, in the two windows above what it stores.</summary>
    private bool IsCounted(CountedAck counted) => counted.Collector is StreamWitness { StoredEnd: var end }
        && counted.Ack.Batch.Sequence >= end && counted.Ack.Batch.Sequence.Value < end.Value + (2 * (ulong)Cluster.Plan.WindowSlots);

    private void Take(Connection connection, Intake intake)
    {
        if (intake.Reply is { } reply)
        {
            Send(connection, reply);
        }

        if (intake.Input is { } input)
        {
            Apply(input);
        }

        if (intake.Fault is not null)
        {
            Cluster.Network.Close(connection);
        }
    }

    /// <summary>One commit at a time, as in the node; what comes meanwhile is the next one.</summary>
    private void SealSoon()
    {
        if (_isFlushing || _driver.Seal() is not { } commit)
        {
            return;
        }

        Flush(commit);
    }

    private void Flush(JournalCommit commit)
    {
        _isFlushing = true;
        OnSealed(commit);
        long delay = Cluster.Faults.OnCommit(this, out int sendsLeft);
        After(delay, () =>
        {
            commit.Perform();
            _isFlushing = false;
            OnPerformed(commit);
            _sendsLeft = sendsLeft;
            _driver.OnDurable(commit);
            _sendsLeft = int.MaxValue;
            SealSoon();
        });
    }

    private void OnSealed(JournalCommit commit)
    {
        foreach (Checker check in Cluster.ChecksOf(this))
        {
            check.OnSealed(Id, commit.Mark);
        }
    }

    /// <summary>Whether it is durable, the disk says and not the witness.</summary>
    private void OnPerformed(JournalCommit commit)
    {
        if (Disk.IsDurable)
        {
            foreach (Checker check in Cluster.ChecksOf(this))
            {
                check.OnDurable(Id, commit.Mark);
            }
        }

        Cluster.Simulation.Note(TraceKind.Durable, Id, Cluster.Simulation.Trace is null ? "" : $"commit {commit.Mark}");
    }

    private void Begin(Connection connection, ISubscribeRequest request)
    {
        Reader state = (Reader)connection.ServerState!;
        if (request is not StartFrame start || state.Feed is not null)
        {
            return;
        }

        if (SubscriptionFeed.WhyRefused(Cluster.File, start, Cluster.KeyOf(connection.Client), null) is { } end)
        {
            Send(connection, end);
            Cluster.Network.Finish(connection);
            return;
        }

        state.Topic = start.Topic;
        state.Feed = new SubscriptionFeed(_store, () => Cluster.File, start);
        _readers.Add(connection);
        Serve(connection);
    }

    private void Serve(Connection connection)
    {
        if (connection.ServerState is not Reader { Feed: { } feed } state || !connection.IsOpen)
        {
            return;
        }

        while (connection.BytesToClient < ServingWindow)
        {
            bool served = false;
            try
            {
                foreach (Served<ISubscribeReply> next in feed.NextRound())
                {
                    Serve(connection, state, next.Frame);
                    served = true;
                }
            }
            catch (StoreDamageException)
            {
                Send(connection, new EndFrame(EndReason.Faulted, "a stored record is damaged"));
                _readers.Remove(connection);
                state.Feed = null;
                Cluster.Network.Finish(connection);
                return;
            }

            if (!served)
            {
                return;
            }
        }
    }

    private void Serve(Connection connection, Reader state, IFrame frame)
    {
        state.LastSent = SteadyMs;
        Send(connection, frame);
    }

    private void Answer(Connection connection, IFetchRequest request)
    {
        if (request is FetchFrame fetch
            && new FetchAnswers(Cluster.File, _store, Cluster.KeyOf(connection.Client), (connection.Client as WitnessParty)?.Index).TryAnswer(fetch, out IEnumerable<Served<IFetchReply>>? frames))
        {
            try
            {
                foreach (Served<IFetchReply> served in frames)
                {
                    Send(connection, served.Frame);
                }
            }
            catch (StoreDamageException)
            {
                Cluster.Network.Close(connection);
            }
        }
        else
        {
            Cluster.Network.Close(connection);
        }
    }

    private void OnFetched(Connection connection, IFetchReply reply)
    {
        FetchTask fetch = (FetchTask)connection.ClientState!;
        if (!_fetches.Contains(connection))
        {
            return;
        }

        fetch.Since = SteadyMs;
        Intake intake = fetch.Take(reply);
        if (intake.Input is { } input)
        {
            Apply(input);
        }

        if (intake.Fault is not null || fetch.IsComplete)
        {
            EndFetch(connection);
        }
    }

    private void EndFetch(Connection connection)
    {
        if (_fetches.Remove(connection))
        {
            Cluster.Network.Close(connection);
            Apply(((FetchTask)connection.ClientState!).Ended);
        }
    }

    private sealed class PeerCall
    {
        public long LastSent { get; set; }

        public bool IsHeartbeatDue(long now, int interval)
        {
            bool isDue = now - LastSent > interval;
            LastSent = isDue ? now : LastSent;
            return isDue;
        }
    }

    private sealed class Reader
    {
        public SubscriptionFeed? Feed { get; set; }

        public Topic? Topic { get; set; }

        public long LastSent { get; set; }

        public long StuckSince { get; set; }
    }
}
