using Microsoft.AspNetCore.Connections;

namespace Bft.Node.Tests.Operations;

public sealed class LobbyTests
{
    private readonly Lobby _lobby = new(max: 2);
    private readonly TaskCompletionSource _end = new();

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
        Lobby.Visitor visitor = client.Features.Get<Lobby.Visitor>()!;
        visitor.Admit();
        visitor.Admit();
        visitor.Dismiss();
        DefaultConnectionContext[] strangers = [Enter(), Enter(), Enter()];
        AssertAborted(strangers[0]);
        Assert.False(client.ConnectionClosed.IsCancellationRequested);

        visitor.Dismiss(); // back, and the youngest
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

    private DefaultConnectionContext Enter()
    {
        DefaultConnectionContext connection = new();
        _ = _lobby.ServeAsync(connection, _ => _end.Task);
        return connection;
    }

    /// <summary>The abort is another thread's work.</summary>
    private static void AssertAborted(ConnectionContext connection) =>
        Assert.True(connection.ConnectionClosed.WaitHandle.WaitOne(TimeSpan.FromSeconds(30)));
}
