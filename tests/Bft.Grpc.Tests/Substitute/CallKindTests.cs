using Bft.Grpc.Tests.Contracts;
using Google.Protobuf;
using Grpc.Core;

namespace Bft.Grpc.Tests.Substitute;

public sealed class CallKindTests : IAsyncLifetime
{
    private EchoHost _host = null!;

    public async Task InitializeAsync() => _host = await EchoHost.StartAsync();

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(65_536)]
    [InlineData(3_000_000)]
    public async Task A_unary_call_returns_the_response(int length)
    {
        byte[] payload = new byte[length];
        Random.Shared.NextBytes(payload);

        Note response = await _host.Client.UnaryAsync(new Note { Payload = ByteString.CopyFrom(payload) }).ResponseAsync.WaitAsync(EchoHost.Patience);

        Assert.True(response.Payload.Span.SequenceEqual(payload));
    }

    [Fact]
    public void A_blocking_call_returns_the_response() => Assert.Equal("x", _host.Client.Unary(new Note { Text = "x" }).Text);

    [Fact]
    public async Task A_client_streaming_call_sees_every_message_and_the_end()
    {
        using AsyncClientStreamingCall<Note, Note> call = _host.Client.Collect();
        foreach (string text in new[] { "a", "b", "c" })
        {
            await call.RequestStream.WriteAsync(new Note { Text = text });
        }

        await call.RequestStream.CompleteAsync();
        Note sum = await call.ResponseAsync.WaitAsync(EchoHost.Patience);

        Assert.Equal(("abc", 3), (sum.Text, sum.Count));
        Assert.Equal(Status.DefaultSuccess, call.GetStatus());
    }

    [Fact]
    public async Task A_server_streaming_call_yields_every_message_in_order()
    {
        using AsyncServerStreamingCall<Note> call = _host.Client.Repeat(new Note { Text = "t", Count = 100 });

        List<int> counts = [];
        await foreach (Note note in call.ResponseStream.ReadAllAsync())
        {
            counts.Add(note.Count);
        }

        Assert.Equal(Enumerable.Range(0, 100), counts);
        Assert.False(await call.ResponseStream.MoveNext());
    }

    [Fact]
    public async Task A_duplex_call_answers_each_message_before_the_next_is_sent()
    {
        using AsyncDuplexStreamingCall<Note, Note> call = _host.Client.Chat();
        for (int i = 0; i < 50; i++)
        {
            await call.RequestStream.WriteAsync(new Note { Count = i, Payload = ByteString.CopyFrom(new byte[i * 1000]) });
            Assert.True(await call.ResponseStream.MoveNext().WaitAsync(EchoHost.Patience));
            Assert.Equal((i, i * 1000), (call.ResponseStream.Current.Count, call.ResponseStream.Current.Payload.Length));
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext().WaitAsync(EchoHost.Patience));
    }

    [Fact]
    public async Task A_duplex_call_can_be_answered_before_the_first_message()
    {
        _host.Handlers.Chat = async (_, responses, _) => await responses.WriteAsync(new Note { Text = "hello" });
        using AsyncDuplexStreamingCall<Note, Note> call = _host.Client.Chat();

        Assert.True(await call.ResponseStream.MoveNext().WaitAsync(EchoHost.Patience));
        Assert.Equal("hello", call.ResponseStream.Current.Text);
        Assert.False(await call.ResponseStream.MoveNext().WaitAsync(EchoHost.Patience));
    }

    [Fact]
    public async Task Calls_run_side_by_side_on_one_channel()
    {
        Echo.EchoClient client = _host.Client;

        Note[] responses = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => client.UnaryAsync(new Note { Count = i }).ResponseAsync)).WaitAsync(EchoHost.Patience);

        Assert.Equal(Enumerable.Range(0, 200), responses.Select(note => note.Count));
    }

    [Fact]
    public async Task Held_back_messages_leave_with_the_next_one_or_the_end()
    {
        using AsyncClientStreamingCall<Note, Note> call = _host.Client.Collect();
        call.RequestStream.WriteOptions = new WriteOptions(WriteFlags.BufferHint);
        for (int i = 0; i < 1000; i++)
        {
            await call.RequestStream.WriteAsync(new Note { Payload = ByteString.CopyFrom(new byte[200]) });
        }

        await call.RequestStream.CompleteAsync();

        Assert.Equal(1000, (await call.ResponseAsync.WaitAsync(EchoHost.Patience)).Count);
    }

    [Fact]
    public async Task A_second_write_before_the_first_ended_is_a_bug_of_the_caller()
    {
        TaskCompletionSource release = new();
        _host.Handlers.Collect = async (_, context) =>
        {
            await release.Task.WaitAsync(context.CancellationToken);
            return new Note();
        };
        using AsyncClientStreamingCall<Note, Note> call = _host.Client.Collect();
        Task first = call.RequestStream.WriteAsync(new Note { Payload = ByteString.CopyFrom(new byte[3_000_000]) });

        await Assert.ThrowsAsync<InvalidOperationException>(() => call.RequestStream.WriteAsync(new Note()));
        Assert.False(first.IsCompleted);
        release.SetResult();
    }

    [Fact]
    public async Task Marshallers_of_our_own_get_the_transports_buffers()
    {
        ReadOnlyMemory<byte> sent = new byte[200_000];
        Marshaller<object> raw = Marshallers.Create<object>(
            (_, context) =>
            {
                context.SetPayloadLength(sent.Length);
                sent.Span.CopyTo(context.GetBufferWriter().GetSpan(sent.Length));
                context.GetBufferWriter().Advance(sent.Length);
                context.Complete();
            },
            context => context.PayloadAsReadOnlySequence().Length);
        Method<object, object> method = new(MethodType.Unary, "bft.test.v1.Echo", "Unary", raw, raw);
        _host.Handlers.Unary = (_, _) => Task.FromResult(new Note { Text = "12345" });

        // The zeros are no Note: field number 0 is not allowed.
        RpcException refused = await Assert.ThrowsAsync<RpcException>(
            () => _host.Channel().CreateCallInvoker().AsyncUnaryCall(method, null, default, new object()).ResponseAsync);
        Assert.Equal(StatusCode.Internal, refused.StatusCode);

        sent = new Note { Text = "x" }.ToByteArray();
        object length = await _host.Channel().CreateCallInvoker().AsyncUnaryCall(method, null, default, new object());
        Assert.Equal(7L, length);
    }
}
