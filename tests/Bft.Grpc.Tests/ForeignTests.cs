using System.Diagnostics;
using Bft.Grpc.Tests.Contracts;
using Bft.Health;
using Bft.Reflection;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Bft.Grpc.Tests;

/// <summary>Calls between this implementation and grpc-js, in both directions.</summary>
public sealed class ForeignTests : IClassFixture<NodeScripts>
{
    [NodeTheory]
    [InlineData("unary")]
    [InlineData("collect")]
    [InlineData("repeat")]
    [InlineData("chat")]
    [InlineData("metadata")]
    [InlineData("failure")]
    [InlineData("deadline")]
    [InlineData("cancel")]
#if !UPSTREAM_PACKAGES // They have gzip.
    [InlineData("compressed")]
#endif
    [InlineData("health")]
    [InlineData("reflection")]
    public async Task A_foreign_client_is_served(string chosen)
    {
        HealthService health = new();
        health.SetStatus("", HealthCheckResponse.Types.ServingStatus.Serving);
        await using EchoHost host = await EchoHost.StartAsync(
            services: services => services.AddGrpcHealth().AddSingleton(health).AddGrpcReflection(EchoReflection.Descriptor, HealthReflection.Descriptor),
            map: app =>
            {
                app.MapGrpcHealth();
                app.MapGrpcReflection();
            });
        host.Handlers.Unary = AnswerAsync;
        DuplexStreamingServerMethod<Note, Note> chat = host.Handlers.Chat;
        TaskCompletionSource cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Handlers.Chat = (requests, responses, context) =>
        {
            context.CancellationToken.Register(() => cancelled.TrySetResult());
            return chat(requests, responses, context);
        };
        ServerStreamingServerMethod<Note, Note> repeat = host.Handlers.Repeat;
        host.Handlers.Repeat = async (request, responses, context) =>
        {
            await repeat(request, responses, context);
            if (request.Text == "fail")
            {
                throw new RpcException(new Status(StatusCode.Aborted, "enough"));
            }
        };

        Assert.Equal("ok", (await NodeScripts.RunAsync("node", "client.mjs", host.Address.Authority, chosen)).Trim());

        if (chosen == "cancel")
        {
            await cancelled.Task.WaitAsync(EchoHost.Patience);
        }
    }

    [NodeFact]
    public async Task A_foreign_server_is_called()
    {
        using Process server = NodeScripts.Start("node", "server.mjs");
        try
        {
            string port = (await server.StandardOutput.ReadLineAsync().WaitAsync(EchoHost.Patience))!;
            using GrpcChannel channel = GrpcChannel.ForAddress($"http://127.0.0.1:{port}");
            Echo.EchoClient client = new(channel);

            await CallAllKinds(client);
            await CallAndFail(client);
            await CallAndCancel(client);
            Assert.Equal("cancelled", await server.StandardOutput.ReadLineAsync().WaitAsync(EchoHost.Patience));
        }
        finally
        {
            server.Kill();
        }
    }

    private static async Task<Note> AnswerAsync(Note request, ServerCallContext context)
    {
        switch (request.Text)
        {
            case "metadata":
                Metadata echoed = [.. context.RequestHeaders.Where(entry => entry.Key.StartsWith("echo-", StringComparison.Ordinal))];
                await context.WriteResponseHeadersAsync(echoed);
                echoed.ToList().ForEach(context.ResponseTrailers.Add);
                break;
            case "fail":
                throw new RpcException(new Status(StatusCode.NotFound, "50 % Ähre"), [new("grpc-status-details-bin", [8, 5])]);
            case "throw":
                throw new FormatException();
            case "wait":
                await Task.Delay(Timeout.Infinite, context.CancellationToken);
                break;
        }

        return request;
    }

    private static async Task CallAllKinds(Echo.EchoClient client)
    {
        Note large = new() { Text = "Ähre", Payload = ByteString.CopyFrom(new byte[3_000_000]) };
        using AsyncUnaryCall<Note> unary = client.UnaryAsync(large, [new("k", "v"), new("k-bin", [0, 255])]);
        Assert.Equal(large, await unary.ResponseAsync.WaitAsync(EchoHost.Patience));
        Assert.Equal("v", (await unary.ResponseHeadersAsync).GetValue("k"));
        Assert.Equal([0, 255], unary.GetTrailers().GetValueBytes("k-bin"));

        using AsyncClientStreamingCall<Note, Note> collect = client.Collect();
        await collect.RequestStream.WriteAsync(new Note { Text = "a" });
        await collect.RequestStream.WriteAsync(new Note { Text = "b" });
        await collect.RequestStream.CompleteAsync();
        Assert.Equal(("ab", 2), ((await collect).Text, (await collect).Count));

        using AsyncServerStreamingCall<Note> repeat = client.Repeat(new Note { Count = 1000 });
        for (int i = 0; i < 1000; i++)
        {
            Assert.True(await repeat.ResponseStream.MoveNext().WaitAsync(EchoHost.Patience));
            Assert.Equal(i, repeat.ResponseStream.Current.Count);
        }

        Assert.False(await repeat.ResponseStream.MoveNext());

        using AsyncDuplexStreamingCall<Note, Note> chat = client.Chat();
        for (int i = 0; i < 100; i++)
        {
            await chat.RequestStream.WriteAsync(new Note { Payload = ByteString.CopyFrom(new byte[i * 1000]) });
            Assert.True(await chat.ResponseStream.MoveNext().WaitAsync(EchoHost.Patience));
            Assert.Equal(i * 1000, chat.ResponseStream.Current.Payload.Length);
        }

        await chat.RequestStream.CompleteAsync();
        Assert.False(await chat.ResponseStream.MoveNext());
    }

    private static async Task CallAndFail(Echo.EchoClient client)
    {
        RpcException e = await EchoHost.FailureOf(client.UnaryAsync(new Note { Text = "fail" }).ResponseAsync);
        Assert.Equal(new Status(StatusCode.NotFound, "50 % Ähre"), e.Status);
        Assert.Equal("because", e.Trailers.GetValue("why"));
        Assert.Equal([8, 5], e.Trailers.GetValueBytes("grpc-status-details-bin"));

        using AsyncServerStreamingCall<Note> repeat = client.Repeat(new Note { Text = "fail", Count = 1 });
        Assert.True(await repeat.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.Aborted, (await EchoHost.FailureOf(repeat.ResponseStream.MoveNext())).StatusCode);

        e = await EchoHost.FailureOf(client.UnaryAsync(new Note { Text = "wait" }, deadline: DateTime.UtcNow.AddMilliseconds(300)).ResponseAsync);
        Assert.Equal(StatusCode.DeadlineExceeded, e.StatusCode);
        e = await EchoHost.FailureOf(client.UnaryAsync(new Note { Payload = ByteString.CopyFrom(new byte[5_000_000]) }).ResponseAsync);
        Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);
    }

    private static async Task CallAndCancel(Echo.EchoClient client)
    {
        AsyncDuplexStreamingCall<Note, Note> call = client.Chat();
        await call.RequestStream.WriteAsync(new Note());
        Assert.True(await call.ResponseStream.MoveNext().WaitAsync(EchoHost.Patience));
        call.Dispose();
    }
}
