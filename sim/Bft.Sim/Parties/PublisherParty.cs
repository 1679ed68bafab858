using System.Buffers;
using Bft.Client;
using Bft.Protocol.Bodies;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Publishing;
using Bft.Protocol.Verification;
using Bft.Storage;
using Bft.Wire;
using Bft.Wire.Frames;
using RoleOptions = Bft.Protocol.Publishing.PublisherOptions;

namespace Bft.Sim;

/// <summary>A correct publisher's process: the client's own driver and journal, and an application that broadcasts.</summary>
internal sealed class PublisherParty(SimulatedCluster cluster, int id, string name, Topic topic, int share) : Party(cluster, id, name), IPublisherOutputs
{
    private readonly Connection?[] _calls = new Connection?[cluster.Plan.Witnesses];
    private readonly long[] _redialAt = new long[cluster.Plan.Witnesses];
    private readonly List<BatchRef> _appended = [];
    private readonly BodyBuilder _body = new(cluster.Committee.Limits);
    private PublisherDriver _driver = null!;
    private bool _isFlushing;
    private bool _hasOldJournal;
    private long _nextAt;
    private int _made;

    public Topic Topic { get; } = topic;

    /// <summary>Batches that the application still wants to send.</summary>
    public int Left { get; private set; } = share;

    /// <summary>Submitted, and not complete.</summary>
    public int InFlight => IsUp ? _driver.InFlight : 0;

    public bool IsEnded { get; private set; }

    /// <summary>P6: after one "retired" or "full" it waits so long for something to be covered, at least. Unit: nanoseconds.</summary>
    public static long PatienceNanoseconds(RunPlan plan) => (plan.RetiredTicks - 1L) * plan.TickMilliseconds * 1_000_000;

    protected override void OnStart()
    {
        PublisherJournal journal;
        try
        {
            journal = PublisherJournal.Open(Disk, Cluster.JournalIdOf(this), Cluster.Plan.SegmentBytes);
        }
        catch (Exception damage) when (damage is JournalDamageException or JournalMismatchException)
        {
            // As the client does: the damaged journal is put aside, and never continued (P7).
            Disk = new SimulatedDisk();
            journal = PublisherJournal.Open(Disk, Cluster.JournalIdOf(this), Cluster.Plan.SegmentBytes);
        }

        IsEnded = false;
        _driver = new PublisherDriver(
            Cluster.Committee, Topic, Cluster.SignerOf(this), Cluster.Scheme, Options, journal, () => Cluster.Simulation.Choices.Next(ChoiceStream.Workload, Id).Bits(), ClockMs, this)
        {
            Decided = OnDecided,
        };
        foreach (VerifiedBatch batch in _driver.Uncovered)
        {
            Cluster.Checks.ForEach(check => check.OnJournaled(Id, batch.Reference));
        }

        SealSoon();
    }

    protected override void OnCrash()
    {
        Array.Clear(_calls);
        Array.Clear(_redialAt);
        _appended.Clear();
        _isFlushing = false;
    }

    protected override void OnTick()
    {
        _driver.OnTick(ClockMs);
        for (int witness = 0; witness < _calls.Length; witness++)
        {
            if (_calls[witness] is null && Cluster.Simulation.Now >= _redialAt[witness])
            {
                _calls[witness] = Cluster.Network.Open(this, witness, ChannelKind.Publish, new WitnessIndex(witness));
            }
        }

        Broadcast();
        foreach (Checker check in Cluster.ChecksOf(this))
        {
            check.OnAmount(Id, "batches that are not covered", _driver.InFlight, Cluster.Plan.WindowSlots);
        }

        SealSoon();
    }

    public override void OnOpened(Connection connection)
    {
        _driver.OnConnected((WitnessIndex)connection.ClientState!);
        SealSoon();
    }

    public override void OnClosed(Connection connection)
    {
        WitnessIndex witness = (WitnessIndex)connection.ClientState!;
        if (_calls[witness.Value] == connection)
        {
            _calls[witness.Value] = null;
            _redialAt[witness.Value] = Cluster.Simulation.Now + (200L * 1_000_000);
            _driver.OnDisconnected(witness);
        }
    }

    /// <summary>A call to this witness is open.</summary>
    public bool HasCallTo(int witness) => IsUp && _calls[witness] is { IsOpen: true };

    /// <summary>While it is down: its journal is gone, or an old one (P7).</summary>
    public void LoseJournal(SimulatedDisk? old)
    {
        Disk = old?.Clone() ?? new SimulatedDisk();
        _hasOldJournal = true;
        if (old is not null)
        {
            Cluster.MarkFaulty(this);
        }

        string what = old is null ? "publisher's journal lost" : "publisher's journal rolled back";
        Cluster.Excuse(what);
        Cluster.Simulation.Note(TraceKind.DiskFault, Id, what);
        Cluster.Checks.ForEach(check => check.OnJournalLost(Id, isOld: old is not null));
    }

    public override void OnMessage(Connection connection, byte[] bytes)
    {
        WitnessIndex witness = (WitnessIndex)connection.ClientState!;
        IPublishReply reply = FrameCodec.Decode<IPublishReply>(new ReadOnlySequence<byte>(bytes));
        if (reply is RefusalFrame { Reason: RefusalReason.Full } && Cluster.IsCorrect(witness.Value))
        {
            Cluster.Simulation.Probe("refused for want of room (W11)", Id);
        }

        _driver.OnFrame(witness, reply);
        SealSoon();
    }

    void IPublisherOutputs.Send(WitnessIndex to, IPublishRequest frame)
    {
        if (_calls[to.Value] is { IsOpen: true } call)
        {
            Cluster.Network.Send(call, this, frame);
        }
    }

    void IPublisherOutputs.Send(WitnessIndex to, BatchFrame batch, Slot slot) => ((IPublisherOutputs)this).Send(to, batch);

    void IPublisherOutputs.Covered(CoveredBatch covered, ArraySegment<VerifiedStatement> upToCertificate, object? ticket)
    {
        if (Cluster.Network.HasCuts)
        {
            Cluster.Simulation.Probe("certified under partition", Id);
        }

        Cluster.Simulation.Note(TraceKind.Certified, Id, Cluster.Simulation.Trace is null ? "" : FrameText.Of(covered.Batch.Reference));
        foreach (Checker check in Cluster.ChecksOf(this))
        {
            check.OnCovered(Id, covered.Batch.Reference, covered.Certificate);
        }

        covered.Batch.BodyOwner?.Dispose();
    }

    void IPublisherOutputs.Asking(int answers, int needed) =>
        Cluster.Simulation.Note(TraceKind.Note, Id, Cluster.Simulation.Trace is null ? "" : $"asked: {answers} of {needed} answered");

    void IPublisherOutputs.Opened(StreamHeader stream, string why)
    {
        if (_hasOldJournal)
        {
            _hasOldJournal = false;
            Cluster.Simulation.Probe("publisher goes on without its journal (P7)", Id);
        }

        Cluster.Simulation.Note(TraceKind.Note, Id, Cluster.Simulation.Trace is null ? "" : $"stream {FrameText.Short(stream.Id)}: {why}");
    }

    void IPublisherOutputs.Misbehaved(WitnessIndex witness, string what)
    {
        foreach (Checker check in Cluster.ChecksOf(this))
        {
            check.OnMisbehaved(Id, witness.Value, what);
        }

        if (_calls[witness.Value] is { } call)
        {
            Cluster.Network.Close(call);
        }
    }

    void IPublisherOutputs.Ended(PublishException reason)
    {
        IsEnded = true;
        if (reason is JournalLostException)
        {
            Cluster.Simulation.Probe("lost journal or copied key shown (P6)", Id);
        }

        Cluster.Simulation.Note(TraceKind.Note, Id, Cluster.Simulation.Trace is null ? "" : $"ended: {reason.Message}");
        Cluster.OnPublisherEnded(this, reason);
    }

    private RoleOptions Options => RoleOptions.Default with { ResendFirstTicks = 10, ResendMaxTicks = 60, HandOverTicks = 4, RetiredTicks = Cluster.Plan.RetiredTicks };

    private void Broadcast()
    {
        if (Left == 0 || IsEnded || Cluster.Simulation.Now < _nextAt)
        {
            return;
        }

        Lot lot = Cluster.Simulation.Choices.Next(ChoiceStream.Workload, Id);
        _nextAt = Cluster.Simulation.Now + lot.Between(0, 2L * Cluster.Plan.BroadcastEveryMicroseconds * 1_000);
        if (Cluster.Simulation.Choices.IsRemoved(lot.Id))
        {
            Left--;
            return;
        }

        for (int i = _body.Count; i < Cluster.Plan.MessagesPerBatch; i++)
        {
            _body.TryAdd(new Message { Payload = Cluster.PayloadOf(this, _made, i) });
        }

        if (_driver.WhyMustWait(_body.BodyLength) is null)
        {
            Left--;
            _made++;
            Cluster.Simulation.Choices.Record(lot.Id, $"broadcast {Name}");
            Cluster.Simulation.Note(TraceKind.Broadcast, Id, $"{Name} #{_made}");
            _driver.Submit(_body, null);
            SealSoon();
        }
    }

    private void OnDecided(PublisherEffects effects)
    {
        foreach (VerifiedBatch batch in effects.Batches)
        {
            _appended.Add(batch.Reference);
            if (batch.Statement.Statement.Ancestor.Kind == AncestorKind.Link)
            {
                Cluster.Simulation.Probe("incarnation linked", Id);
            }

            Cluster.Checks.ForEach(check => check.OnBroadcast(Id, batch));
        }
    }

    private void SealSoon()
    {
        if (_isFlushing || _driver.IsEnded || _driver.Seal() is not { } commit)
        {
            return;
        }

        Flush(commit);
    }

    private void Flush(JournalCommit commit)
    {
        _isFlushing = true;
        BatchRef[] sealedBatches = [.. _appended];
        _appended.Clear();
        After(Cluster.Faults.OnCommit(this, out _), () =>
        {
            commit.Perform();
            _isFlushing = false;
            if (Disk.IsDurable)
            {
                foreach (BatchRef batch in sealedBatches)
                {
                    Cluster.Checks.ForEach(check => check.OnJournaled(Id, batch));
                }
            }

            _driver.OnCommitted(commit);
            SealSoon();
        });
    }
}
