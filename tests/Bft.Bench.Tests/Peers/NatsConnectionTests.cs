using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Bft.Bench.Peers;

namespace Bft.Bench.Tests.Peers;

/// <summary>Against a socket on which the test plays the server.</summary>
public sealed class NatsConnectionTests : IDisposable
{
    private readonly CancellationTokenSource _deadline = new(TimeSpan.FromSeconds(60));
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public NatsConnectionTests() => _listener.Start();

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task Messages_go_out_together_when_flushed_with_a_numbered_subject_for_the_answer()
    {
        (NatsConnection connection, Socket server) = await OpenAsync();
        using NatsConnection open = connection;
        using Socket far = server;

        connection.Publish("to"u8, "back."u8, 9, "hello"u8);
        connection.Publish("to"u8, "back."u8, 10, ""u8);
        Assert.False(far.Poll(TimeSpan.FromMilliseconds(50), SelectMode.SelectRead));
        connection.Flush();

        Assert.Equal("PUB to back.9 5\r\nhello\r\nPUB to back.10 0\r\n\r\n", await ReceiveAsync(far, 44));
    }

    [Fact]
    public async Task Messages_in_pieces_reach_the_handler_of_their_subscription_and_drained_is_said_behind_them()
    {
        (NatsConnection connection, Socket server) = await OpenAsync();
        using NatsConnection open = connection;
        using Socket far = server;
        List<string> got = [];
        using SemaphoreSlim drained = new(0);
        connection.Drained = () => drained.Release();
        connection.Subscribe("first", (in NatsFrame message) => got.Add($"first {Encoding.ASCII.GetString(message.Payload)}"));
        connection.Subscribe("second", (in NatsFrame message) => got.Add($"second {Encoding.ASCII.GetString(message.Payload)}"));
        Assert.Equal("SUB first 1\r\nSUB second 2\r\n", await ReceiveAsync(far, 27));

        await SendAsync(far, "MSG second 2 3\r\none\r\nMSG first 1 3\r\nt");
        await drained.WaitAsync(_deadline.Token);
        Assert.Equal(["second one"], got);
        await SendAsync(far, "wo\r\nPING\r\n");
        await drained.WaitAsync(_deadline.Token);

        Assert.Equal(["second one", "first two"], got);
        Assert.Equal("PONG\r\n", await ReceiveAsync(far, 6));
    }

    [Fact]
    public async Task A_message_larger_than_the_buffers_comes_and_goes_whole()
    {
        (NatsConnection connection, Socket server) = await OpenAsync();
        using NatsConnection open = connection;
        using Socket far = server;
        string large = new('x', 1_000_000);
        TaskCompletionSource<int> got = new(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.Subscribe("in", (in NatsFrame message) => got.TrySetResult(message.Payload.Length));
        await ReceiveAsync(far, 10);

        Task sending = Task.Run(() =>
        {
            connection.Publish("to"u8, "r"u8, 1, Encoding.ASCII.GetBytes(large));
            connection.Flush();
        });
        Assert.Equal($"PUB to r1 1000000\r\n{large}\r\n", await ReceiveAsync(far, 1_000_021));
        await sending;
        await SendAsync(far, $"MSG in 1 1000000\r\n{large}\r\n");

        Assert.Equal(1_000_000, await got.Task.WaitAsync(_deadline.Token));
    }

    [Fact]
    public async Task A_request_gets_its_answer_and_an_error_or_nobody_there_is_one()
    {
        (NatsConnection connection, Socket server) = await OpenAsync();
        using NatsConnection open = connection;
        using Socket far = server;

        Task<JsonElement> asking = connection.RequestAsync("api", "{}", _deadline.Token);
        string inbox = await InboxAsync(far);
        await SendAsync(far, $$"""MSG {{inbox}} 1 7""" + "\r\n{\"a\":1}\r\n");
        Assert.Equal(1, (await asking).GetProperty("a").GetInt32());

        asking = connection.RequestAsync("api", "{}", _deadline.Token);
        inbox = await InboxAsync(far);
        await SendAsync(far, $$"""MSG {{inbox}} 2 22""" + "\r\n{\"error\":{\"code\":500}}\r\n");
        Assert.Contains("500", (await Assert.ThrowsAsync<PeerFailedException>(() => asking)).Message, StringComparison.Ordinal);

        asking = connection.RequestAsync("api", "{}", _deadline.Token);
        inbox = await InboxAsync(far);
        await SendAsync(far, $"HMSG {inbox} 3 16 16\r\nNATS/1.0 503\r\n\r\n\r\n");
        Assert.Contains("Nobody", (await Assert.ThrowsAsync<PeerFailedException>(() => asking)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-ERR 'Authorization Violation'\r\n", "Authorization")]
    [InlineData("MSG a\r\n", "cannot be read")]
    [InlineData("", "closed")]
    public async Task What_ends_a_connection_is_told(string text, string reason)
    {
        (NatsConnection connection, Socket server) = await OpenAsync();
        using NatsConnection open = connection;

        await SendAsync(server, text);
        server.Dispose();

        PeerFailedException error = await Assert.ThrowsAsync<PeerFailedException>(() => connection.Ended.WaitAsync(_deadline.Token));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    /// <summary>Up to the line CONNECT.</summary>
    private async Task<(NatsConnection Connection, Socket Server)> OpenAsync()
    {
        NatsConnection connection = await NatsConnection.OpenAsync(((IPEndPoint)_listener.LocalEndpoint).Port, _deadline.Token);
        Socket server = await _listener.AcceptSocketAsync(_deadline.Token);
        await SendAsync(server, "INFO {}\r\n");
        string line = await ReceiveLineAsync(server);
        Assert.StartsWith("CONNECT {", line, StringComparison.Ordinal);
        using JsonDocument options = JsonDocument.Parse(line["CONNECT ".Length..]);
        Assert.True(options.RootElement.GetProperty("headers").GetBoolean());
        return (connection, server);
    }

    private async Task<string> InboxAsync(Socket server)
    {
        string subscription = await ReceiveLineAsync(server);
        Assert.Matches(@"^SUB _INBOX\.\w+\.r\d+ \d+$", subscription);
        string inbox = subscription.Split(' ')[1];
        Assert.Equal($"PUB api {inbox} 2", await ReceiveLineAsync(server));
        Assert.Equal("{}", await ReceiveLineAsync(server));
        return inbox;
    }

    private async Task SendAsync(Socket server, string text) => await server.SendAsync(Encoding.ASCII.GetBytes(text), _deadline.Token);

    private async Task<string> ReceiveAsync(Socket server, int length)
    {
        byte[] bytes = new byte[length];
        for (int count = 0; count < length;)
        {
            int read = await server.ReceiveAsync(bytes.AsMemory(count), _deadline.Token);
            Assert.NotEqual(0, read);
            count += read;
        }

        return Encoding.ASCII.GetString(bytes);
    }

    private async Task<string> ReceiveLineAsync(Socket server)
    {
        StringBuilder line = new();
        while (!line.ToString().EndsWith("\r\n", StringComparison.Ordinal))
        {
            line.Append(await ReceiveAsync(server, 1));
        }

        return line.ToString().TrimEnd();
    }
}
