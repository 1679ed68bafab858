using System.Buffers;
using Bft.Client;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Verification;
using Bft.Wire;
using Bft.Wire.Frames;
using Covered = Bft.Protocol.Receiving.Delivery;

namespace Bft.Sim;

/// <summary>A correct receiver's process: the client's own driver and cursor, and an application that takes and commits.</summary>
internal sealed class ReceiverParty(SimulatedCluster cluster, int id, string name, Topic topic) : Party(cluster, id, name), IReceiverOutputs
{
    private const long HandOverNanoseconds = 5_000_000_000;
    private const int NapEntity = 64; // and its own

    private readonly Dictionary<(int Witness, SubscriptionChannel Channel), Connection> _calls = [];
    private readonly Queue<(Connection Connection, byte[]? Bytes)> _unread = new(); // null: there it ends
    private readonly SortedDictionary<int, Connection> _handOvers = [];
    private ReceiverDriver _driver = null!;
    private CursorStore _cursor = null!;
    private long _takeAt;
    private long _fullSince;
    private bool _wasSlow;

    public Topic Topic { get; } = topic;

    protected override void OnStart()
    {
        _cursor = CursorStore.Open(Disk, Cluster.JournalIdOf(this), Topic, Cluster.Plan.SegmentBytes);
        _driver = new ReceiverDriver(
            Cluster.Committee, Cluster.Scheme, Topic, _cursor, Cluster.SubscriptionOptions, Cluster.Simulation.Choices.Next(ChoiceStream.Workload, Id).Bits(), this);
    }

    protected override void OnCrash()
    {
        _calls.Clear();
        _unread.Clear();
        _handOvers.Clear();
    }

    protected override void OnTick()
    {
        _driver.OnTick(SteadyMs);
        Read();
        long batch = Cluster.Committee.Limits.BatchBytesMax;
        foreach (Checker check in Cluster.ChecksOf(this))
        {
            check.OnAmount(Id, "bytes before the application", _driver.Credit.Bytes, (3 * Cluster.SubscriptionOptions.QueueBytesMax) + batch);
            check.OnAmount(Id, "statements of a stream", _driver.BufferedSlotsMax, (2 * Cluster.Plan.WindowSlots) - 1);
        }
    }

    public override void OnOpened(Connection connection)
    {
        if (connection.ClientState is IReadOnlyList<IPublishRequest> frames)
        {
            foreach (IPublishRequest frame in frames)
            {
                Cluster.Network.Send(connection, this, frame);
            }

            return;
        }

        Call call = (Call)connection.ClientState!;
        if (IsCurrent(connection, call))
        {
            Cluster.Network.Send(connection, this, call.Start);
            _driver.OnOpened(call.Witness, call.Channel);
        }
        else
        {
            Cluster.Network.Close(connection);
        }
    }

    public override void OnClosed(Connection connection)
    {
        if (connection.ClientState is Call call)
        {
            // What came before the end is read before it.
            if (call.Channel == SubscriptionChannel.Bodies)
            {
                _unread.Enqueue((connection, null));
                Read();
            }
            else
            {
                End(connection, call);
            }
        }
        else if (_handOvers.GetValueOrDefault(SimulatedCluster.IndexOf(connection.Server)) == connection)
        {
            _handOvers.Remove(SimulatedCluster.IndexOf(connection.Server));
        }
    }

    public override void OnMessage(Connection connection, byte[] bytes)
    {
        if (connection.Kind == ChannelKind.Publish)
        {
            _driver.OnHandOverReply(new WitnessIndex(SimulatedCluster.IndexOf(connection.Server)), FrameCodec.Decode<IPublishReply>(new ReadOnlySequence<byte>(bytes)));
            return;
        }

        if (connection.Kind == ChannelKind.Tips)
        {
            Take(connection, (Call)connection.ClientState!, bytes);
            return;
        }

        // R6: while the application's queue is full no body is read, and the witness runs into the window.
        connection.BytesToClient += bytes.Length;
        _unread.Enqueue((connection, bytes));
        Read();
    }

    void IReceiverOutputs.Open(WitnessIndex witness, StartFrame start, SubscriptionChannel channel)
    {
        ChannelKind kind = channel == SubscriptionChannel.Bodies ? ChannelKind.Bodies : ChannelKind.Tips;
        _calls[(witness.Value, channel)] = Cluster.Network.Open(this, witness.Value, kind, new Call(witness, channel, start));
    }

    void IReceiverOutputs.Close(WitnessIndex witness, SubscriptionChannel channel)
    {
        if (_calls.Remove((witness.Value, channel), out Connection? connection))
        {
            Cluster.Network.Close(connection);
        }
    }

    void IReceiverOutputs.HandOver(WitnessIndex witness, IReadOnlyList<IPublishRequest> frames)
    {
        if (_handOvers.TryGetValue(witness.Value, out Connection? open))
        {
            // Frames that come before it is open are the role's to send again.
            if (open.IsOpen)
            {
                foreach (IPublishRequest frame in frames)
                {
                    Cluster.Network.Send(open, this, frame);
                }
            }

            return;
        }

        Cluster.Simulation.Probe("receiver hands a certificate over (R5)", Id);
        Connection call = Cluster.Network.Open(this, witness.Value, ChannelKind.Publish, frames);
        _handOvers.Add(witness.Value, call);
        After(HandOverNanoseconds, () =>
        {
            if (_handOvers.GetValueOrDefault(witness.Value) == call)
            {
                _handOvers.Remove(witness.Value);
                Cluster.Network.Close(call);
            }
        });
    }

    void IReceiverOutputs.Started(Protocol.Receiving.Cursor start)
    {
    }

    void IReceiverOutputs.Deliver(Covered covered, bool isPossibleRepeat)
    {
        if (_wasSlow)
        {
            _wasSlow = false;
            Cluster.Simulation.Probe("slow consumer resumed", Id);
        }

        VerifiedBatch batch = covered.Batch;
        StreamId stream = batch.Reference.Stream;
        if (!_cursor.IsLeased(stream, batch.Sequence))
        {
            _cursor.Lease(stream, batch.Sequence);
        }

        Cluster.Simulation.Note(TraceKind.Delivered, Id, Cluster.Simulation.Trace is null ? "" : FrameText.Of(batch.Reference));
        Cluster.Checks.ForEach(check => check.OnDelivered(Id, covered, isPossibleRepeat));
        int bytes = batch.Body.Length;
        CursorPosition position = new(batch.Sequence.Following, batch.Digest, 0);
        batch.BodyOwner?.Dispose();

        // The application takes one after the other.
        Lot lot = Cluster.Simulation.Choices.Next(ChoiceStream.Workload, Id);
        _takeAt = Math.Max(_takeAt, Cluster.Simulation.Now) + lot.Between(1, Math.Max(1, Cluster.Plan.TakeMilliseconds) * 1_000_000L);
        if (!Cluster.IsHealed && Cluster.Simulation.Choices.Fault(ChoiceStream.Workload, NapEntity + Id, Cluster.Plan.NapPpm, out Lot nap))
        {
            Cluster.Simulation.Choices.Record(nap.Id, $"{Name}'s application naps");
            Cluster.Simulation.Note(TraceKind.Note, Id, "the application naps");
            _takeAt += nap.Between(500, 9_000) * 1_000_000L;
        }

        After(_takeAt - Cluster.Simulation.Now, () =>
        {
            _cursor.Commit(stream, position);
            Cluster.Checks.ForEach(check => check.OnCommitted(Id, stream, position.Next));
            _driver.OnTaken(bytes);
            Read();
        });
    }

    void IReceiverOutputs.Forked(Fork fork, IReadOnlyList<VerifiedEvidence> evidence)
    {
        Cluster.Simulation.Note(TraceKind.Evidence, Id, "fork");
        foreach (Checker check in Cluster.Checks)
        {
            check.OnForked(Id, fork);
            foreach (VerifiedEvidence one in evidence)
            {
                check.OnEvidence(Id, one);
            }
        }
    }

    void IReceiverOutputs.Refused(string why) => throw new InvalidOperationException($"The witnesses refused a reader that they know: {why}");

    void IReceiverOutputs.Notify(ClientNotice notice)
    {
        if (notice is WitnessMisbehaved misbehaved)
        {
            Cluster.Checks.ForEach(check => check.OnMisbehaved(Id, misbehaved.Witness.Value, misbehaved.What));
        }
        else if (notice is SlotsSkipped skipped)
        {
            Cluster.Checks.ForEach(check => check.OnSkipped(Id, new Skipped(skipped.Stream, skipped.First, skipped.Floor)));
        }

        Cluster.Simulation.Trace?.Add(new TraceEvent(Cluster.Simulation.Trace.Count, Cluster.Simulation.Now, TraceKind.Note, Id, -1, 0, $"{notice}"));
    }

    private bool IsCurrent(Connection connection, Call call) => _calls.GetValueOrDefault((call.Witness.Value, call.Channel)) == connection;

    private void Read()
    {
        while (_unread.TryPeek(out (Connection Connection, byte[]? Bytes) next))
        {
            Call call = (Call)next.Connection.ClientState!;
            if (_driver.Credit.HasRoom(heldForMs: 0))
            {
                _fullSince = SteadyMs;
            }

            if (IsCurrent(next.Connection, call) && !_driver.Credit.HasRoom(SteadyMs - _fullSince))
            {
                return;
            }

            _unread.Dequeue();
            if (next.Bytes is { } bytes)
            {
                next.Connection.BytesToClient -= bytes.Length;
                Take(next.Connection, call, bytes);
            }
            else
            {
                End(next.Connection, call);
            }
        }
    }

    private void End(Connection connection, Call call)
    {
        if (IsCurrent(connection, call))
        {
            _calls.Remove((call.Witness.Value, call.Channel));
            _driver.OnClosed(call.Witness, call.Channel, "The connection broke.");
        }
    }

    private void Take(Connection connection, Call call, byte[] bytes)
    {
        if (IsCurrent(connection, call))
        {
            ISubscribeReply frame = FrameCodec.Decode<ISubscribeReply>(new ReadOnlySequence<byte>(bytes));
            _wasSlow |= frame is EndFrame { Reason: EndReason.SlowConsumer };
            _driver.OnFrame(call.Witness, call.Channel, frame);
        }
    }

    private sealed record Call(WitnessIndex Witness, SubscriptionChannel Channel, StartFrame Start);
}
