using Bft.Grpc.Tests.Contracts;
using Grpc.Core;
using Grpc.Net.Client;

namespace Bft.Grpc.Tests.Substitute;

public sealed class StatusTests : IAsyncLifetime
{
    private EchoHost _host = null!;

    public async Task InitializeAsync() => _host = await EchoHost.StartAsync();

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task A_status_that_the_handler_throws_reaches_the_caller_with_its_trailers()
    {
        byte[] details = [8, 5, 255];
        _host.Handlers.Unary = (_, _) => throw new RpcException(
            new Status(StatusCode.NotFound, "50 % of nothing: Ähre\n"), [new Metadata.Entry("grpc-status-details-bin", details), new Metadata.Entry("why", "because")]);

        RpcException e = await EchoHost.FailureOf(_host.Client.UnaryAsync(new Note()).ResponseAsync);

        Assert.Equal(new Status(StatusCode.NotFound, "50 % of nothing: Ähre\n"), e.Status);
        Assert.Equal(details, e.Trailers.GetValueBytes("grpc-status-details-bin"));
        Assert.Equal("because", e.Trailers.GetValue("why"));
    }

    [Fact]
    public async Task A_status_after_messages_comes_in_trailers()
    {
        _host.Handlers.Repeat = async (request, responses, context) =>
        {
            await responses.WriteAsync(request);
            context.ResponseTrailers.Add("seen", "1");
            context.Status = new Status(StatusCode.Aborted, "enough");
        };
        using AsyncServerStreamingCall<Note> call = _host.Client.Repeat(new Note { Text = "t" });

        Assert.True(await call.ResponseStream.MoveNext());
        RpcException e = await EchoHost.FailureOf(call.ResponseStream.MoveNext());

        Assert.Equal(new Status(StatusCode.Aborted, "enough"), e.Status);
        Assert.Equal("1", e.Trailers.GetValue("seen"));
        Assert.Equal(e.Status, call.GetStatus());
        Assert.Same(e, await EchoHost.FailureOf(call.ResponseStream.MoveNext()));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_handlers_exception_is_unknown_and_told_only_with_detailed_errors(bool isDetailed)
    {
        await using EchoHost host = await EchoHost.StartAsync(options => options.EnableDetailedErrors = isDetailed);
        host.Handlers.Unary = (_, _) => throw new FormatException("secret");

        RpcException e = await EchoHost.FailureOf(host.Client.UnaryAsync(new Note()).ResponseAsync);

        Assert.Equal(StatusCode.Unknown, e.StatusCode);
        Assert.Equal(isDetailed, e.Status.Detail.Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Unknown_methods_and_services_are_unimplemented()
    {
        Method<Note, Note> Named(string service, string name) =>
            new(MethodType.Unary, service, name, NoteMarshaller.Instance, NoteMarshaller.Instance);
        CallInvoker invoker = _host.Channel().CreateCallInvoker();

        RpcException method = await EchoHost.FailureOf(invoker.AsyncUnaryCall(Named("bft.test.v1.Echo", "Nothing"), null, default, new Note()).ResponseAsync);
        RpcException service = await EchoHost.FailureOf(invoker.AsyncUnaryCall(Named("no.Such", "Unary"), null, default, new Note()).ResponseAsync);

        Assert.Equal((StatusCode.Unimplemented, StatusCode.Unimplemented), (method.StatusCode, service.StatusCode));
    }

    [Fact]
    public async Task Writing_to_a_call_that_the_server_ended_fails_with_its_status()
    {
        _host.Handlers.Collect = (_, _) => throw new RpcException(new Status(StatusCode.PermissionDenied, "not you"));
        using AsyncClientStreamingCall<Note, Note> call = _host.Client.Collect();

        async Task WriteForever()
        {
            while (true)
            {
                await call.RequestStream.WriteAsync(new Note { Text = new string('x', 10_000) });
            }
        }

        Assert.Equal("not you", (await EchoHost.FailureOf(WriteForever())).Status.Detail);
        Assert.Equal("not you", (await EchoHost.FailureOf(call.ResponseAsync)).Status.Detail);
        await call.RequestStream.CompleteAsync();
    }

    [Fact]
    public async Task Messages_and_status_stay_readable_when_the_server_ends_a_duplex_call_early()
    {
        _host.Handlers.Chat = async (requests, responses, _) =>
        {
            await requests.MoveNext();
            await responses.WriteAsync(new Note { Text = "last" });
            throw new RpcException(new Status(StatusCode.OutOfRange, "full"));
        };
        using AsyncDuplexStreamingCall<Note, Note> call = _host.Client.Chat();
        await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (true)
            {
                await call.RequestStream.WriteAsync(new Note { Text = new string('x', 10_000) });
            }
        }).WaitAsync(EchoHost.Patience);

        Assert.True(await call.ResponseStream.MoveNext());
        Assert.Equal("last", call.ResponseStream.Current.Text);
        Assert.Equal("full", (await EchoHost.FailureOf(call.ResponseStream.MoveNext())).Status.Detail);
    }

    [Fact]
    public async Task A_server_that_cannot_be_reached_is_unavailable()
    {
        GrpcChannel channel = _host.Channel();
        Echo.EchoClient client = new(channel);
        await client.UnaryAsync(new Note());
        await _host.DisposeAsync();
        using GrpcChannel fresh = GrpcChannel.ForAddress(_host.Address);

        Assert.Equal(StatusCode.Unavailable, (await EchoHost.FailureOf(new Echo.EchoClient(fresh).UnaryAsync(new Note()).ResponseAsync)).StatusCode);
    }

    [Fact]
    public async Task Status_and_trailers_are_there_only_after_the_end()
    {
        TaskCompletionSource release = new();
        _host.Handlers.Unary = async (request, _) =>
        {
            await release.Task;
            return request;
        };
        using AsyncUnaryCall<Note> call = _host.Client.UnaryAsync(new Note());

        Assert.Throws<InvalidOperationException>(() => call.GetStatus());
        release.SetResult();
        await call;
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
        Assert.Empty(call.GetTrailers());
    }
}
