using System.Buffers;
using Bft.Wire;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>Carries encoded messages between parties, and loses, doubles, delays and cuts as the plan says.</summary>
internal sealed class SimulatedNetwork(Simulation simulation, RunPlan plan, FrameText texts)
{
    private const int LinkStride = 64; // more than parties
    private const long Millisecond = 1_000_000;

    private readonly List<Connection> _open = [];
    private readonly List<ChoiceId> _arrivals = [];
    private readonly long[] _cutUntil = new long[LinkStride * LinkStride]; // by link, each direction for itself
    private readonly ArrayBufferWriter<byte> _writer = new();
    private IFrame? _lastFrame;
    private byte[] _lastBytes = [];
    private ulong _lastHash;
    private long _messages;
    private bool _isCalm;

    /// <summary>The choices of messages that arrived, in order.</summary>
    public IReadOnlyList<ChoiceId> Arrivals => _arrivals;

    /// <summary>Told of each message that leaves.</summary>
    public Action<Party, Party, IFrame, int> Sent { get; set; } = (_, _, _, _) => { };

    /// <summary>Who stands behind an identity for this caller: twins share one.</summary>
    public Func<Party, int, Party> Route { get; set; } = null!;

    /// <summary>From now on only what the calm allows: no loss, short delays. Cuts stay for those who are named.</summary>
    public void Calm() => _isCalm = true;

    /// <summary>Cuts a link in one direction.</summary>
    public void Cut(int from, int to, long until) => _cutUntil[Link(from, to)] = Math.Max(_cutUntil[Link(from, to)], until);

    public void Mend(int from, int to) => _cutUntil[Link(from, to)] = 0;

    /// <summary>Some link is cut now.</summary>
    public bool HasCuts => _cutUntil.AsSpan().IndexOfAnyExceptInRange(0, simulation.Now) >= 0;

    public bool IsCut(int from, int to) => _cutUntil[Link(from, to)] > simulation.Now;

    /// <summary>Opens a call; the client hears of it by <see cref="Party.OnOpened"/> or <see cref="Party.OnClosed"/>.</summary>
    public Connection Open(Party client, int server, ChannelKind kind, object? state = null) => Open(client, Route(client, server), kind, state);

    /// <summary>Opens a call to this very party, whoever else has its identity.</summary>
    public Connection Open(Party client, Party server, ChannelKind kind, object? state = null)
    {
        Connection connection = new(client, server, kind, plan.IsOrdered) { ClientState = state };
        int clientLife = client.Life;
        simulation.After(Delay(client.Id, connection.Server.Id, out bool isLost), () =>
        {
            if (isLost || !connection.Server.IsUp || client.Life != clientLife || IsCut(connection.Server.Id, client.Id))
            {
                simulation.After(isLost ? 500 * Millisecond : Millisecond, () => client.Act(clientLife, () => client.OnClosed(connection)));
                return;
            }

            connection.IsOpen = true;
            _open.Add(connection);
            connection.Server.Act(connection.Server.Life, () => connection.Server.OnAccepted(connection));
            client.Act(clientLife, () => client.OnOpened(connection));
        });
        return connection;
    }

    /// <summary>Sends a frame to the other end of a connection.</summary>
    public void Send(Connection connection, Party from, IFrame frame)
    {
        if (connection.IsOpen)
        {
            Encode(frame);
            Send(connection, from, frame, _lastBytes, _lastHash);
        }
    }

    /// <summary>Sends bytes, which need be no frame; for adversaries.</summary>
    public void Send(Connection connection, Party from, byte[] bytes)
    {
        if (connection.IsOpen)
        {
            Send(connection, from, FrameCodec.Decode<IFrame>(new ReadOnlySequence<byte>(bytes)), bytes, FastHash.Of(bytes));
        }
    }

    /// <summary>The message that holds this frame.</summary>
    public byte[] BytesOf(IFrame frame)
    {
        Encode(frame);
        return _lastBytes;
    }

    private void Send(Connection connection, Party from, IFrame frame, byte[] bytes, ulong hash)
    {
        Party to = connection.Other(from);
        Sent(from, to, frame, bytes.Length);
        Pass(connection, from, to, frame, bytes, hash);
    }

    private void Pass(Connection connection, Party from, Party to, IFrame frame, byte[] bytes, ulong hash)
    {
        int link = Link(from.Id, to.Id);
        ChoiceId existence = simulation.Choices.NextId(ChoiceStream.Delivery, link);
        Lot lot = simulation.Choices.Next(ChoiceStream.Network, link);
        long message = ++_messages;
        string text = simulation.Trace is null ? "" : texts.Of(frame);
        simulation.Note(TraceKind.Send, from.Id, text, to.Id, message, hash);
        if (simulation.Choices.IsRemoved(existence))
        {
            simulation.Note(TraceKind.Drop, to.Id, text, from.Id, message);
            return;
        }

        // All drawn before any is used: a fault that is taken away leaves the rest as it was.
        bool mayFail = !_isCalm && !simulation.Choices.IsRemoved(lot.Id);
        long delay = DelayOf(ref lot);
        bool isLost = lot.Chance(plan.LossPpm) && mayFail;
        bool isDoubled = lot.Chance(plan.DuplicatePpm) && mayFail && !connection.IsOrdered;
        bool isRepeated = lot.Chance(plan.OldDuplicatePpm) && mayFail;
        if (IsCut(from.Id, to.Id) || isLost)
        {
            simulation.Choices.Record(lot.Id, $"loss {from.Name}→{to.Name}");
            simulation.Note(TraceKind.Drop, to.Id, text, from.Id, message);
            if (connection.IsOrdered)
            {
                CloseAfter(connection, lot.Between(1, 500) * Millisecond);
            }

            return;
        }

        Carry(connection, to, bytes, hash, existence, message, text, delay);
        if (isDoubled)
        {
            simulation.Choices.Record(lot.Id, $"double {from.Name}→{to.Name}");
            Carry(connection, to, bytes, hash, existence, ++_messages, text, DelayOf(ref lot));
        }

        if (isRepeated)
        {
            simulation.Choices.Record(lot.Id, $"old double {from.Name}→{to.Name}");
            RepeatAfter(lot.Between(1_000, 30_000) * Millisecond, connection, from, bytes);
        }
    }

    /// <summary>Ends a connection; both ends hear of it, each in its time.</summary>
    public void Close(Connection connection)
    {
        if (!connection.IsOpen)
        {
            return;
        }

        connection.IsOpen = false;
        _open.Remove(connection);
        Tell(connection, connection.Client);
        Tell(connection, connection.Server);
    }

    /// <summary>The server ends a connection; the client gets first what is on its way.</summary>
    public void Finish(Connection connection) => CloseAfter(connection, Math.Max(Millisecond, connection.LastToClient - simulation.Now + 1));

    /// <summary>A party is down: all its connections end.</summary>
    public void CloseAllOf(Party party)
    {
        foreach (Connection connection in _open.Where(open => open.Client == party || open.Server == party).ToArray())
        {
            Close(connection);
        }
    }

    private void CloseAfter(Connection connection, long delay) => simulation.After(delay, () => Close(connection));

    /// <summary>What was said long ago is said again, on whatever call stands between the two by then.</summary>
    private void RepeatAfter(long delay, Connection before, Party from, byte[] bytes) => simulation.After(delay, () =>
    {
        if (_open.Find(open => open.Kind == before.Kind && open.Client == before.Client && open.Server == before.Server) is { } connection)
        {
            // The network says it, not the party.
            simulation.Probe("old duplicate");
            Pass(connection, from, connection.Other(from), FrameCodec.Decode<IFrame>(new ReadOnlySequence<byte>(bytes)), bytes, FastHash.Of(bytes));
        }
    });

    private static int Link(int from, int to) => (from * LinkStride) + to;

    private void Tell(Connection connection, Party party)
    {
        int life = party.Life;
        simulation.After(Millisecond, () => party.Act(life, () => party.OnClosed(connection)));
    }

    private void Carry(Connection connection, Party to, byte[] bytes, ulong hash, ChoiceId existence, long message, string text, long delay)
    {
        bool isToClient = to == connection.Client;
        long at = simulation.Now + delay;
        if (connection.IsOrdered)
        {
            long last = isToClient ? connection.LastToClient : connection.LastToServer;
            at = Math.Max(at, last + 1);
            if (isToClient)
            {
                connection.LastToClient = at;
            }
            else
            {
                connection.LastToServer = at;
            }
        }

        if (isToClient)
        {
            connection.BytesToClient += bytes.Length;
        }

        simulation.After(at - simulation.Now, new Arrival(this, connection, to, bytes) { Hash = hash, Existence = existence, Message = message, Text = text });
    }

    private void Arrive(Arrival arrival)
    {
        Connection connection = arrival.Connection;
        Party to = arrival.To;
        int from = connection.Other(to).Id;
        bool isPaused = to.PausedUntil > simulation.Now;
        bool isBehindHeld = connection.IsOrdered && !arrival.WasHeld && connection.HeldUntil(to) > simulation.Now;
        if ((isPaused || isBehindHeld) && to.Life == arrival.Life)
        {
            // What comes while a machine stands still comes afterwards, and on an ordered connection one after the other.
            long at = Math.Max(to.PausedUntil, connection.IsOrdered ? connection.Hold(to, to.PausedUntil) : 0);
            arrival.WasHeld = true;
            simulation.After(at - simulation.Now, arrival);
            return;
        }

        if (to == connection.Client)
        {
            connection.BytesToClient -= arrival.Bytes.Length;
        }

        if (!connection.IsOpen || to.Life != arrival.Life || !to.IsUp)
        {
            simulation.Note(TraceKind.Drop, to.Id, arrival.Text, from, arrival.Message);
            return;
        }

        simulation.Deliveries++;
        _arrivals.Add(arrival.Existence);
        simulation.Note(TraceKind.Deliver, to.Id, arrival.Text, from, arrival.Message, arrival.Hash);
        to.Act(arrival.Life, arrival, static (party, it) => party.OnMessage(it.Connection, it.Bytes));
        if (to == connection.Client && connection.IsOpen && connection.Server.IsUp)
        {
            connection.Server.Act(connection.Server.Life, connection, static (party, it) => party.OnDrained(it));
        }
    }

    private long Delay(int from, int to, out bool isLost)
    {
        Lot lot = simulation.Choices.Next(ChoiceStream.Network, Link(from, to));
        isLost = IsCut(from, to) || (!_isCalm && !simulation.Choices.IsRemoved(lot.Id) && lot.Chance(plan.LossPpm));
        return 2 * DelayOf(ref lot);
    }

    private long DelayOf(ref Lot lot)
    {
        long delay = lot.Between(plan.DelayMinMicroseconds, Math.Max(plan.DelayMinMicroseconds, plan.DelayMaxMicroseconds)) * 1_000;
        bool isSlow = lot.Chance(plan.DelayTailPpm) && !_isCalm && !simulation.Choices.IsRemoved(lot.Id);
        long factor = lot.Between(2, 100);
        return isSlow ? delay * factor : delay;
    }

    /// <summary>Once per frame, however many get it.</summary>
    private void Encode(IFrame frame)
    {
        if (!ReferenceEquals(frame, _lastFrame))
        {
            _writer.ResetWrittenCount();
            FrameCodec.Encode(frame, _writer);
            _lastFrame = frame;
            _lastBytes = _writer.WrittenSpan.ToArray();
            _lastHash = FastHash.Of(_lastBytes);
        }
    }

    /// <summary>A message on its way.</summary>
    private sealed class Arrival(SimulatedNetwork network, Connection connection, Party to, byte[] bytes) : Happening
    {
        public Connection Connection => connection;

        public Party To => to;

        /// <summary>The addressee's when it was sent.</summary>
        public int Life { get; } = to.Life;

        public byte[] Bytes => bytes;

        /// <summary>It waited for its addressee before.</summary>
        public bool WasHeld { get; set; }

        public required ulong Hash { get; init; }

        public required ChoiceId Existence { get; init; }

        public required long Message { get; init; }

        public required string Text { get; init; }

        public override void Happen() => network.Arrive(this);
    }
}
