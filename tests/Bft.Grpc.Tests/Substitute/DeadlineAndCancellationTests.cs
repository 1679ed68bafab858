using Bft.Grpc.Tests.Contracts;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Bft.Grpc.Tests.Substitute;

public sealed class DeadlineAndCancellationTests : IAsyncLifetime
{
    private readonly TaskCompletionSource _handlerCancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _handlerRuns = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private EchoHost _host = null!;

    public async Task InitializeAsync()
    {
        _host = await EchoHost.StartAsync();
        _host.Handlers.Unary = async (request, context) =>
        {
            await UntilCancelled(context);
            return request;
        };
        _host.Handlers.Chat = async (requests, responses, context) =>
        {
            await requests.MoveNext();
            await responses.WriteAsync(requests.Current);
            await UntilCancelled(context);
        };
    }

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task The_deadline_ends_the_call_on_both_sides()
    {
        DateTime deadline = DateTime.UtcNow.AddMilliseconds(300);
        TimeSpan? seen = null;
        _host.Handlers.Unary = async (request, context) =>
        {
            seen = context.Deadline - deadline;
            await UntilCancelled(context);
            return request;
        };

        RpcException e = await EchoHost.FailureOf(_host.Client.UnaryAsync(new Note(), deadline: deadline).ResponseAsync);

        Assert.Equal(StatusCode.DeadlineExceeded, e.StatusCode);
        Assert.True(DateTime.UtcNow >= deadline);
        await _handlerCancelled.Task.WaitAsync(EchoHost.Patience);
        Assert.InRange(seen!.Value.TotalSeconds, -0.5, 10);
    }

    [Fact]
    public async Task The_server_keeps_the_deadline_of_a_client_that_does_not()
    {
        RawCall.Answer answer = await RawCall.PostAsync(_host, "Unary", RawCall.Frame([]), headers: ("grpc-timeout", "50m"));

        Assert.Equal("4", answer.Status);
        await _handlerCancelled.Task.WaitAsync(EchoHost.Patience);
    }

    [Theory]
    [InlineData("1H", 3600)]
    [InlineData("2M", 120)]
    [InlineData("99999999S", 99_999_999)]
    [InlineData("5000m", 5)]
    [InlineData("5000000u", 5)]
    public async Task The_server_reads_every_unit_of_time(string text, double seconds)
    {
        DateTime seen = default;
        _host.Handlers.Unary = (request, context) =>
        {
            seen = context.Deadline;
            return Task.FromResult(request);
        };

        Assert.Equal("0", (await RawCall.PostAsync(_host, "Unary", RawCall.Frame([]), headers: ("grpc-timeout", text))).Status);
        Assert.InRange((seen - DateTime.UtcNow).TotalSeconds, seconds - 4, seconds);
    }

    [Fact]
    public async Task A_deadline_in_the_past_ends_the_call_before_it_is_sent()
    {
        RpcException e = await EchoHost.FailureOf(_host.Client.UnaryAsync(new Note(), deadline: DateTime.UtcNow.AddSeconds(-1)).ResponseAsync);

        Assert.Equal(StatusCode.DeadlineExceeded, e.StatusCode);
        Assert.False(_handlerRuns.Task.IsCompleted);
    }

    [Fact]
    public async Task A_deadline_centuries_away_is_none_of_the_timers_business()
    {
        _host.Handlers.Unary = (request, _) => Task.FromResult(request);
        await _host.Client.UnaryAsync(new Note(), deadline: DateTime.UtcNow.AddYears(500));
        await _host.Client.UnaryAsync(new Note(), deadline: DateTime.MaxValue);
    }

    [Fact]
    public async Task A_cancelled_token_cancels_the_handler()
    {
        using CancellationTokenSource cancel = new();
        using AsyncUnaryCall<Note> call = _host.Client.UnaryAsync(new Note(), cancellationToken: cancel.Token);
        await _handlerRuns.Task.WaitAsync(EchoHost.Patience);

        await cancel.CancelAsync();

        Assert.Equal(StatusCode.Cancelled, (await EchoHost.FailureOf(call.ResponseAsync)).StatusCode);
        await _handlerCancelled.Task.WaitAsync(EchoHost.Patience);
    }

    [Fact]
    public async Task Disposing_a_stream_cancels_the_handler_and_a_waiting_reader()
    {
        AsyncDuplexStreamingCall<Note, Note> call = _host.Client.Chat();
        await call.RequestStream.WriteAsync(new Note());
        await call.ResponseStream.MoveNext();
        Task<bool> waiting = call.ResponseStream.MoveNext();

        call.Dispose();

        Assert.Equal(StatusCode.Cancelled, (await EchoHost.FailureOf(waiting)).StatusCode);
        Assert.Equal(StatusCode.Cancelled, (await EchoHost.FailureOf(call.RequestStream.WriteAsync(new Note()))).StatusCode);
        await _handlerCancelled.Task.WaitAsync(EchoHost.Patience);
    }

    [Fact]
    public async Task Disposing_a_call_whose_request_has_ended_cancels_the_handler()
    {
        _host.Handlers.Repeat = async (request, responses, context) =>
        {
            await responses.WriteAsync(request);
            await UntilCancelled(context);
        };
        AsyncServerStreamingCall<Note> call = _host.Client.Repeat(new Note());
        await call.ResponseStream.MoveNext();

        call.Dispose();

        await _handlerCancelled.Task.WaitAsync(EchoHost.Patience);
    }

    [Fact]
    public async Task Cancelling_a_read_cancels_the_call()
    {
        using CancellationTokenSource cancel = new();
        using AsyncDuplexStreamingCall<Note, Note> call = _host.Client.Chat();
        await call.RequestStream.WriteAsync(new Note());
        await call.ResponseStream.MoveNext();
        Task<bool> waiting = call.ResponseStream.MoveNext(cancel.Token);

        await cancel.CancelAsync();

        Assert.Equal(StatusCode.Cancelled, (await EchoHost.FailureOf(waiting)).StatusCode);
        await _handlerCancelled.Task.WaitAsync(EchoHost.Patience);
    }

    [Fact]
    public async Task Cancelling_a_blocked_write_cancels_the_call()
    {
        using CancellationTokenSource cancel = new();
        using AsyncDuplexStreamingCall<Note, Note> call = _host.Client.Chat();
        await call.RequestStream.WriteAsync(new Note());
        await call.ResponseStream.MoveNext();
        Task blocked = call.RequestStream.WriteAsync(new Note { Payload = ByteString.CopyFrom(new byte[3_000_000]) }, cancel.Token);

        await cancel.CancelAsync();

        Assert.Equal(StatusCode.Cancelled, (await EchoHost.FailureOf(blocked)).StatusCode);
        await _handlerCancelled.Task.WaitAsync(EchoHost.Patience);
    }

    [Fact]
    public async Task Disposing_the_channel_cancels_its_calls()
    {
        GrpcChannel channel = _host.Channel();
        using AsyncUnaryCall<Note> call = new Echo.EchoClient(channel).UnaryAsync(new Note());
        await _handlerRuns.Task.WaitAsync(EchoHost.Patience);

        await channel.ShutdownAsync();

        Assert.Equal(StatusCode.Cancelled, (await EchoHost.FailureOf(call.ResponseAsync)).StatusCode);
        await _handlerCancelled.Task.WaitAsync(EchoHost.Patience);
        Assert.Throws<ObjectDisposedException>(channel.CreateCallInvoker);
    }

    [Fact]
    public async Task A_server_may_answer_that_it_cancelled()
    {
        _host.Handlers.Unary = (_, _) => throw new RpcException(Status.DefaultCancelled);

        Assert.Equal(StatusCode.Cancelled, (await EchoHost.FailureOf(_host.Client.UnaryAsync(new Note()).ResponseAsync)).StatusCode);
    }

    [Fact]
    public async Task Reads_and_writes_of_a_handler_end_when_the_client_is_gone()
    {
        TaskCompletionSource<Exception?> read = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource<Exception?> write = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _host.Handlers.Chat = async (requests, responses, _) =>
        {
            await requests.MoveNext();
            await responses.WriteAsync(requests.Current);
            read.SetResult(await Record.ExceptionAsync(() => requests.MoveNext()));
            write.SetResult(await Record.ExceptionAsync(() => responses.WriteAsync(new Note())));
        };
        AsyncDuplexStreamingCall<Note, Note> call = _host.Client.Chat();
        await call.RequestStream.WriteAsync(new Note());
        await call.ResponseStream.MoveNext();

        call.Dispose();

        Assert.IsAssignableFrom<OperationCanceledException>(await read.Task.WaitAsync(EchoHost.Patience));
        Assert.IsAssignableFrom<OperationCanceledException>(await write.Task.WaitAsync(EchoHost.Patience));
    }

    private async Task UntilCancelled(ServerCallContext context)
    {
        _handlerRuns.TrySetResult();
        try
        {
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
        }
        catch (OperationCanceledException)
        {
            _handlerCancelled.TrySetResult();
            throw;
        }
    }
}
