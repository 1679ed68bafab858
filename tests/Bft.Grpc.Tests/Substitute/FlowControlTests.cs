using Bft.Grpc.Tests.Contracts;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Bft.Grpc.Tests.Substitute;

public sealed class FlowControlTests
{
    private const int MessageBytes = 64 * 1024;
    private const int Messages = 512;

    /// <summary>Far above what windows and socket buffers hold, far below what the writer wants to send (32 MiB).</summary>
    private const int BufferedMax = 12 * 1024 * 1024;

    /// <summary>A write that waits as long as this is blocked.</summary>
    private static readonly TimeSpan Blocked = TimeSpan.FromMilliseconds(400);
    private static readonly Note Message = new() { Payload = ByteString.CopyFrom(new byte[MessageBytes]) };

    [Fact]
    public async Task A_slow_server_stops_a_fast_client()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        TaskCompletionSource read = new(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Handlers.Collect = async (requests, context) =>
        {
            await read.Task.WaitAsync(context.CancellationToken);
            Note count = new();
            while (await requests.MoveNext())
            {
                count.Count++;
            }

            return count;
        };
        using AsyncClientStreamingCall<Note, Note> call = host.Client.Collect();

        int accepted = await WriteUntilBlocked(call.RequestStream.WriteAsync, out Task rest);

        Assert.InRange(accepted * (long)MessageBytes, MessageBytes, BufferedMax);
        read.SetResult();
        await rest.WaitAsync(EchoHost.Patience);
        await call.RequestStream.CompleteAsync();
        Assert.Equal(Messages, (await call.ResponseAsync.WaitAsync(EchoHost.Patience)).Count);
    }

    [Fact]
    public async Task A_slow_client_stops_a_fast_server()
    {
        await using EchoHost host = await EchoHost.StartAsync(kestrel: kestrel => kestrel.Limits.MinResponseDataRate = null);
        TaskCompletionSource<int> blocked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Handlers.Repeat = async (_, responses, _) =>
        {
            blocked.SetResult(await WriteUntilBlocked(responses.WriteAsync, out Task rest));
            await rest;
        };
        using AsyncServerStreamingCall<Note> call = host.Client.Repeat(new Note());

        Assert.InRange(await blocked.Task.WaitAsync(EchoHost.Patience) * (long)MessageBytes, MessageBytes, BufferedMax);
        int count = 0;
        while (await call.ResponseStream.MoveNext())
        {
            count++;
        }

        Assert.Equal(Messages, count);
    }

    [Fact]
    public async Task One_stalled_stream_does_not_stop_another_on_its_connection()
    {
        await using EchoHost host = await EchoHost.StartAsync(
            kestrel: kestrel =>
            {
                kestrel.Limits.Http2.InitialConnectionWindowSize = 4 * 1024 * 1024;
                kestrel.Limits.Http2.InitialStreamWindowSize = 256 * 1024;
            });
        TaskCompletionSource release = new(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Handlers.Collect = async (_, context) =>
        {
            await release.Task.WaitAsync(context.CancellationToken);
            return new Note();
        };
        Echo.EchoClient client = host.Client;
        using AsyncClientStreamingCall<Note, Note> stalled = client.Collect();
        await WriteUntilBlocked(stalled.RequestStream.WriteAsync, out Task rest);

        Assert.Equal(MessageBytes, (await client.UnaryAsync(Message).ResponseAsync.WaitAsync(EchoHost.Patience)).Payload.Length);
        stalled.Dispose();
        await Assert.ThrowsAsync<RpcException>(() => rest.WaitAsync(EchoHost.Patience));
    }

    [Fact]
    public async Task Messages_over_a_limit_are_refused_where_the_limit_stands()
    {
        await using EchoHost host = await EchoHost.StartAsync(options =>
        {
            options.MaxReceiveMessageSize = 3 * MessageBytes;
            options.MaxSendMessageSize = 2 * MessageBytes;
        });
        Echo.EchoClient client = host.Client;
        Note large = new() { Payload = ByteString.CopyFrom(new byte[(3 * MessageBytes) - 16]) };
        Note tooLarge = new() { Payload = ByteString.CopyFrom(new byte[3 * MessageBytes]) };

        Assert.Contains("receiver's limit", (await Refused(client, tooLarge)).Status.Detail, StringComparison.Ordinal);
        Assert.Contains("sender's limit", (await Refused(client, large)).Status.Detail, StringComparison.Ordinal);

        Echo.EchoClient receiver = new(host.Channel(new GrpcChannelOptions { MaxReceiveMessageSize = MessageBytes }));
        Assert.Contains("receiver's limit", (await Refused(receiver, Message)).Status.Detail, StringComparison.Ordinal);

        Echo.EchoClient sender = new(host.Channel(new GrpcChannelOptions { MaxSendMessageSize = MessageBytes }));
        Assert.Contains("sender's limit", (await Refused(sender, Message)).Status.Detail, StringComparison.Ordinal);
        using AsyncDuplexStreamingCall<Note, Note> stream = sender.Chat();
        Assert.Equal(StatusCode.ResourceExhausted, (await EchoHost.FailureOf(stream.RequestStream.WriteAsync(Message))).StatusCode);

        // Nothing of the refused message left, so the stream goes on.
        await stream.RequestStream.WriteAsync(new Note { Text = "small" });
        Assert.True(await stream.ResponseStream.MoveNext());
        Assert.Equal("small", stream.ResponseStream.Current.Text);
    }

    [Fact]
    public async Task A_message_larger_than_every_window_arrives_where_the_limit_allows_it()
    {
        await using EchoHost host = await EchoHost.StartAsync(options => options.MaxReceiveMessageSize = null);
        Echo.EchoClient client = new(host.Channel(new GrpcChannelOptions { MaxReceiveMessageSize = null }));

        Note response = await client.UnaryAsync(new Note { Payload = ByteString.CopyFrom(new byte[40_000_000]) }).ResponseAsync.WaitAsync(EchoHost.Patience);

        Assert.Equal(40_000_000, response.Payload.Length);
    }

    private static async Task<RpcException> Refused(Echo.EchoClient client, Note request)
    {
        RpcException e = await EchoHost.FailureOf(client.UnaryAsync(request).ResponseAsync);
        Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);
        return e;
    }

    /// <summary>Writes all messages in order.</summary>
    /// <returns>How many were accepted before one blocked; all, when none did.</returns>
    private static Task<int> WriteUntilBlocked(Func<Note, Task> write, out Task rest)
    {
        TaskCompletionSource<int> blocked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        rest = WriteAll();
        return blocked.Task;

        async Task WriteAll()
        {
            await Task.Yield();
            for (int i = 0; i < Messages; i++)
            {
                Task one = write(Message);
                if (i > 0 && !blocked.Task.IsCompleted && await Task.WhenAny(one, Task.Delay(Blocked)) != one) // the first one waits for the connection
                {
                    blocked.SetResult(i);
                }

                await one;
            }

            blocked.TrySetResult(Messages);
        }
    }
}
