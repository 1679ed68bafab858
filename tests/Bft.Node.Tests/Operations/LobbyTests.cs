using System.IO.Pipelines;
using System.Net;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Microsoft.AspNetCore.Connections;

namespace Bft.Node.Tests.Operations;

public sealed class LobbyTests
{
    private static readonly PublicKey Client = new([.. Enumerable.Repeat((byte)1, PublicKey.Length)]);
    private static readonly PublicKey Other = new([.. Enumerable.Repeat((byte)2, PublicKey.Length)]);
    private readonly EdgeLimits _limits;
    private readonly Lobby _lobby;
    private readonly Dictionary<DefaultConnectionContext, TaskCompletionSource> _ends = [];

    public LobbyTests()
    {
        _limits = EdgeLimits.Default with { StrangersMax = 2, UnreadBytesMax = 1000, StrangerBytesMax = 100, ConnectionsPerIdentityMax = 2, PendingCallsPerAddressMax = 2 };
        _lobby = new Lobby(_limits, new NodeLog(TextWriter.Null, new WitnessIndex(0)));
    }

    [Fact]
    public void The_oldest_connection_without_a_session_gives_way()
    {
        DefaultConnectionContext[] connections = [Enter(), Enter(), Enter()];
        AssertAborted(connections[0]);
        Assert.False(connections[1].ConnectionClosed.IsCancellationRequested);
        Assert.False(connections[2].ConnectionClosed.IsCancellationRequested);
    }

    [Fact]
    public void A_connection_with_a_session_keeps_its_place_until_the_last_one_ends()
    {
        DefaultConnectionContext client = Enter();
        Visitor visitor = VisitorOf(client);
        Assert.True(_lobby.TryAdmit(visitor, Client));
        Assert.True(_lobby.TryAdmit(visitor, Client));
        _lobby.OnSessionEnded(visitor);
        DefaultConnectionContext[] strangers = [Enter(), Enter(), Enter()];
        AssertAborted(strangers[0]);
        Assert.False(client.ConnectionClosed.IsCancellationRequested);

        _lobby.OnSessionEnded(visitor); // back, and the youngest
        AssertAborted(strangers[1]);
        Enter();
        AssertAborted(strangers[2]);
        Enter();
        AssertAborted(client);
    }

    [Fact]
    public async Task A_connection_that_ended_takes_no_place()
    {
        DefaultConnectionContext first = Enter();
        await _lobby.ServeAsync(new DefaultConnectionContext(), _ => Task.CompletedTask);
        Enter();
        Assert.False(first.ConnectionClosed.IsCancellationRequested);
        Enter();
        AssertAborted(first);
    }

    [Fact]
    public void The_address_with_most_strangers_makes_room_before_others_do()
    {
        DefaultConnectionContext[] connections = [Enter("10.0.0.1"), Enter("10.0.0.2"), Enter("10.0.0.2")];
        AssertAborted(connections[1]);
        Assert.False(connections[0].ConnectionClosed.IsCancellationRequested);
    }

    [Fact]
    public void Addresses_of_one_IPv6_network_count_as_one()
    {
        DefaultConnectionContext[] connections = [Enter("10.0.0.1"), Enter("2001:db8::1"), Enter("2001:db8::2")];
        AssertAborted(connections[1]);
        Assert.Equal("2001:db8:0:0::/64", $"{VisitorOf(connections[1]).Address}");
        Assert.Equal("10.0.0.1", $"{VisitorOf(connections[0]).Address}");
        Assert.Equal(VisitorOf(connections[0]).Address, NetworkPart.Of(new IPEndPoint(IPAddress.Parse("::ffff:10.0.0.1"), 1)));
    }

    [Fact]
    public void Of_the_Unix_socket_each_user_counts_as_an_address()
    {
        Assert.Equal("unix:user-1000", $"{NetworkPart.OfUser(1000)}");
        Assert.NotEqual(NetworkPart.OfUser(1000), NetworkPart.OfUser(1001));
        Assert.True(NetworkPart.OfUser(uint.MaxValue).IsLocal);
        Assert.DoesNotContain(new[] { "127.0.0.1", "255.255.255.255", "::1", "2001:db8::1" }, address => NetworkPart.Of(new IPEndPoint(IPAddress.Parse(address), 1)).IsLocal);
    }

    [Fact]
    public void An_address_has_no_more_connections_than_it_may()
    {
        EdgeLimits limits = _limits with { ConnectionsPerAddressMax = 1 };
        Lobby lobby = new(limits, new NodeLog(TextWriter.Null, new WitnessIndex(0)));
        DefaultConnectionContext first = EnterTo(lobby, "10.0.0.1");
        EnterTo(lobby, "10.0.0.2");
        DefaultConnectionContext second = EnterTo(lobby, "10.0.0.1");
        AssertAborted(first); // a stranger gives way
        Leave(first);
        Assert.True(lobby.TryAdmit(VisitorOf(second), Client));
        AssertAborted(EnterTo(lobby, "10.0.0.1")); // a client does not
        Assert.False(second.ConnectionClosed.IsCancellationRequested);
    }

    [Fact]
    public void An_identity_has_no_more_connections_than_it_may()
    {
        Assert.True(_lobby.TryAdmit(VisitorOf(Enter()), Client));
        DefaultConnectionContext second = Enter();
        Assert.True(_lobby.TryAdmit(VisitorOf(second), Client));
        Visitor third = VisitorOf(Enter());
        Assert.False(_lobby.TryAdmit(third, Client));
        Assert.True(_lobby.TryAdmit(third, Other));
        Leave(second);
        Assert.True(_lobby.TryAdmit(VisitorOf(Enter()), Client));
    }

    [Fact]
    public void A_connection_counts_for_the_identity_that_was_proven_on_it_last()
    {
        Visitor[] visitors = [VisitorOf(Enter()), VisitorOf(Enter())];
        Assert.All(visitors, visitor => Assert.True(_lobby.TryAdmit(visitor, Client)));
        Assert.All(visitors, visitor => Assert.True(_lobby.TryAdmit(visitor, Other)));
        Visitor third = VisitorOf(Enter());
        Assert.False(_lobby.TryAdmit(third, Other));
        Assert.True(_lobby.TryAdmit(third, Client));
    }

    [Fact]
    public void What_comes_late_on_a_stream_that_ended_counts_no_more()
    {
        Visitor visitor = VisitorOf(Enter());
        visitor.Begin(3);
        visitor.OnBody(3, 40);
        visitor.End(3);
        visitor.OnBody(3, 40); // was under way
        visitor.OnBody(1, 10); // below one that was served: it can't begin any more
        Assert.Equal(0, _lobby.UnreadBytes);
    }

    [Fact]
    public void Calls_that_wait_for_a_hello_are_counted_by_address_until_a_session_is_open()
    {
        Visitor visitor = VisitorOf(Enter("10.0.0.1"));
        BodyReader[] calls = [.. Enumerable.Range(0, 3).Select(i => new BodyReader(new Pipe().Reader, visitor, (2 * i) + 1))];
        Assert.True(_lobby.TryBegin(visitor, calls[0], out _));
        Assert.True(_lobby.TryBegin(visitor, calls[1], out _));
        Assert.False(_lobby.TryBegin(visitor, calls[2], out string? refusal));
        Assert.Contains("address", refusal, StringComparison.Ordinal);
        Assert.True(_lobby.TryAdmit(visitor, Client));
        Assert.True(_lobby.TryBegin(visitor, calls[2], out _));
        _lobby.End(visitor, calls[1]);
        Assert.True(_lobby.TryBegin(visitor, calls[1], out _));
    }

    [Fact]
    public void A_stranger_that_sends_more_than_a_hello_is_thrown_out()
    {
        DefaultConnectionContext stranger = Enter();
        VisitorOf(stranger).OnBody(1, 100);
        Assert.Equal(100, _lobby.UnreadBytes);
        VisitorOf(stranger).OnBody(1, 1);
        AssertAborted(stranger);
        Assert.Equal(0, _lobby.UnreadBytes);
    }

    [Fact]
    public void What_lies_unread_is_bounded_and_the_identity_that_has_most_pays()
    {
        DefaultConnectionContext[] connections = [Enter(), Enter(), new()];
        Assert.True(_lobby.TryAdmit(VisitorOf(connections[0]), Client));
        Assert.True(_lobby.TryAdmit(VisitorOf(connections[1]), Other));
        connections[2] = Enter();
        Assert.True(_lobby.TryAdmit(VisitorOf(connections[2]), Other));
        VisitorOf(connections[0]).OnBody(1, 400);
        VisitorOf(connections[1]).OnBody(1, 250);
        VisitorOf(connections[2]).OnBody(1, 300);
        VisitorOf(connections[1]).OnTaken(1, 10);
        VisitorOf(connections[1]).OnBody(1, 61); // 601 of 1,001
        AssertAborted(connections[1]);
        Assert.Equal(700, _lobby.UnreadBytes);
        Assert.False(connections[0].ConnectionClosed.IsCancellationRequested);
        Assert.False(connections[2].ConnectionClosed.IsCancellationRequested);
        VisitorOf(connections[0]).End(1);
        VisitorOf(connections[1]).End(1);
        Assert.Equal(300, _lobby.UnreadBytes);
    }

    [Fact]
    public void Who_says_nothing_about_himself_goes_after_two_minutes()
    {
        DefaultConnectionContext client = Enter();
        Assert.True(_lobby.TryAdmit(VisitorOf(client), Client));
        DefaultConnectionContext stranger = Enter();
        _lobby.Sweep(Environment.TickCount64 + 119_000);
        Assert.False(stranger.ConnectionClosed.IsCancellationRequested);
        _lobby.Sweep(Environment.TickCount64 + 121_000);
        AssertAborted(stranger);
        Assert.False(client.ConnectionClosed.IsCancellationRequested);
    }

    [Fact]
    public async Task A_message_that_comes_byte_by_byte_costs_the_connection()
    {
        (DefaultConnectionContext connection, Pipe pipe, BodyReader body) = BeginCall();
        for (int i = 0; i < 3; i++)
        {
            await pipe.Writer.WriteAsync(new byte[1]);
            ReadResult read = await body.ReadAsync();
            body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }

        _lobby.Sweep(Environment.TickCount64 + 29_000);
        Assert.False(connection.ConnectionClosed.IsCancellationRequested);
        _lobby.Sweep(Environment.TickCount64 + 31_000);
        AssertAborted(connection);
    }

    [Fact]
    public async Task A_message_that_came_whole_is_never_overdue()
    {
        (DefaultConnectionContext connection, Pipe pipe, BodyReader body) = BeginCall();
        await pipe.Writer.WriteAsync(new byte[10]);
        ReadResult read = await body.ReadAsync();
        body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        read = await ReadMoreAsync(pipe, body);
        body.AdvanceTo(read.Buffer.GetPosition(15)); // the rest waits for us, not for the sender
        _lobby.Sweep(Environment.TickCount64 + 10_000_000);
        Assert.False(connection.ConnectionClosed.IsCancellationRequested);
    }

    [Fact]
    public void A_banned_address_keeps_its_sessions_and_has_a_narrow_way_in()
    {
        DefaultConnectionContext client = Enter("10.0.0.1");
        Assert.True(_lobby.TryAdmit(VisitorOf(client), Client));
        // Ten are a ban, or eleven: offences fade meanwhile.
        while (_lobby.Addresses.Remaining(VisitorOf(client).Address, Environment.TickCount64) == TimeSpan.Zero)
        {
            VisitorOf(Enter("10.0.0.1")).Expel("a test says so");
        }

        DefaultConnectionContext[] more = [.. Enumerable.Range(0, 20).Select(_ => Enter("10.0.0.1"))];
        Assert.InRange(more.Count(connection => connection.Features.Get<Visitor>() is not null), 1, 3);
        Assert.NotNull(Enter("10.0.0.2").Features.Get<Visitor>());
        Assert.False(client.ConnectionClosed.IsCancellationRequested);
    }

    [Fact]
    public void What_a_client_does_wrong_is_held_against_its_key_and_not_against_its_address()
    {
        for (int i = 0; i < 11; i++) // ten are a ban, or eleven: offences fade meanwhile
        {
            DefaultConnectionContext connection = Enter("10.0.0.1");
            Assert.True(_lobby.TryAdmit(VisitorOf(connection), Client));
            VisitorOf(connection).Expel("a test says so");
            Leave(connection);
        }

        Assert.NotEqual(TimeSpan.Zero, _lobby.Identities.Remaining(Client, Environment.TickCount64));
        Assert.Equal(TimeSpan.Zero, _lobby.Identities.Remaining(Other, Environment.TickCount64));
        Assert.Equal(TimeSpan.Zero, _lobby.Addresses.Remaining(NetworkPart.Of(new IPEndPoint(IPAddress.Parse("10.0.0.1"), 1)), Environment.TickCount64));
    }

    /// <summary>A client's connection with one call on it, whose body comes through the pipe.</summary>
    private (DefaultConnectionContext Connection, Pipe Body, BodyReader Reader) BeginCall()
    {
        DefaultConnectionContext connection = Enter();
        Visitor visitor = VisitorOf(connection);
        Pipe pipe = new();
        BodyReader body = new(pipe.Reader, visitor, 1);
        Assert.True(_lobby.TryBegin(visitor, body, out _));
        Assert.True(_lobby.TryAdmit(visitor, Client));
        return (connection, pipe, body);
    }

    private static async Task<ReadResult> ReadMoreAsync(Pipe pipe, BodyReader body)
    {
        await pipe.Writer.WriteAsync(new byte[10]);
        return await body.ReadAsync();
    }

    private static Visitor VisitorOf(DefaultConnectionContext connection) => connection.Features.Get<Visitor>()!;

    private DefaultConnectionContext Enter(string address = "10.0.0.1") => EnterTo(_lobby, address);

    private DefaultConnectionContext EnterTo(Lobby lobby, string address)
    {
        DefaultConnectionContext connection = new() { RemoteEndPoint = new IPEndPoint(IPAddress.Parse(address), 1) };
        TaskCompletionSource end = new();
        _ends[connection] = end;
        _ = lobby.ServeAsync(connection, _ => end.Task);
        return connection;
    }

    private void Leave(DefaultConnectionContext connection) => _ends[connection].SetResult();

    /// <summary>The abort is another thread's work.</summary>
    private static void AssertAborted(ConnectionContext connection) =>
        Assert.True(connection.ConnectionClosed.WaitHandle.WaitOne(TimeSpan.FromSeconds(30)));
}
