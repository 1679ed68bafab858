using System.Net;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;
using Bft.Wire.Services;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bft.Wire.Tests.Services;

/// <summary>The services over a real connection.</summary>
public sealed class CallTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private WebApplication _app = null!;
    private GrpcChannel _channel = null!;

    private static CallOptions Options => new(deadline: DateTime.UtcNow + Patience);

    public async Task InitializeAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        _app = builder.Build();
        _app.MapGrpcService<Mirror>();
        _app.MapGrpcService<PeerMirror>();
        await _app.StartAsync();
        _channel = GrpcChannel.ForAddress(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    public async Task DisposeAsync()
    {
        _channel.Dispose();
        await _app.DisposeAsync();
    }

    [Fact]
    public async Task Info_is_answered()
    {
        IInfoReply reply = await new WitnessClient(_channel).InfoAsync(Options);

        Assert.Equal(Sample.Named("info").Frame, reply);
    }

    [Fact]
    public async Task Publish_carries_frames_both_ways()
    {
        using AsyncDuplexStreamingCall<IPublishRequest, IPublishReply> call = new WitnessClient(_channel).Publish(Options);
        byte[] body = Sample.Bytes(1_000_000, 0);
        await call.RequestStream.WriteAsync(new BatchFrame(new SignedBatch(Sample.Bytes(209, 0), default, body)));
        await call.RequestStream.CompleteAsync();

        Assert.True(await call.ResponseStream.MoveNext(default));
        Assert.Equal(Crypto.Sha256.Hash(body), Assert.IsType<ChallengeFrame>(call.ResponseStream.Current).Nonce);
        Assert.False(await call.ResponseStream.MoveNext(default));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Subscribe_fetch_status_and_exchange_reach_their_methods()
    {
        WitnessClient client = new(_channel);
        using AsyncDuplexStreamingCall<ISubscribeRequest, ISubscribeReply> subscribe = client.Subscribe(Options);
        using AsyncDuplexStreamingCall<IFetchRequest, IFetchReply> fetch = client.Fetch(Options);
        using AsyncDuplexStreamingCall<IStatusRequest, IStatusReply> status = client.Status(Options);
        using AsyncDuplexStreamingCall<IExchangeRequest, IExchangeReply> exchange = new PeerClient(_channel).Exchange(Options);

        Assert.IsType<HeartbeatFrame>(await FirstOf(subscribe.ResponseStream));
        Assert.IsType<FetchedFrame>(await FirstOf(fetch.ResponseStream));
        Assert.IsType<StatusFrame>(await FirstOf(status.ResponseStream));
        Assert.IsType<WelcomeFrame>(await FirstOf(exchange.ResponseStream));
    }

    [Fact]
    public async Task What_is_no_message_reaches_the_service_as_a_value()
    {
        Marshaller<byte[]> raw = new(bytes => bytes, bytes => bytes);
        Method<byte[], byte[]> publish = new(MethodType.DuplexStreaming, "bft.v1.Witness", "Publish", raw, raw);
        using AsyncDuplexStreamingCall<byte[], byte[]> call = _channel.CreateCallInvoker().AsyncDuplexStreamingCall(publish, null, Options);
        await call.RequestStream.WriteAsync([0x22, 0x7f]);

        Assert.Equal(Sample.Named("welcome").Encoded, await FirstOf(call.ResponseStream));
    }

    [Fact]
    public void Reflection_has_both_services() =>
        Assert.Equal("bft.v1.Witness bft.v1.Peer", string.Join(' ', Contracts.Files.SelectMany(file => file.Services).Select(service => service.FullName)));

    private static async Task<T> FirstOf<T>(IAsyncStreamReader<T> stream)
    {
        Assert.True(await stream.MoveNext(default));
        return stream.Current;
    }

    /// <summary>Answers a batch by its body's digest, and what is malformed by welcome.</summary>
    private sealed class Mirror : WitnessServiceBase
    {
        public override Task<IInfoReply> Info(IInfoRequest request, ServerCallContext context) => Task.FromResult((IInfoReply)Sample.Named("info").Frame);

        public override async Task Publish(IAsyncStreamReader<IPublishRequest> requestStream, IServerStreamWriter<IPublishReply> responseStream, ServerCallContext context)
        {
            while (await requestStream.MoveNext(context.CancellationToken))
            {
                await responseStream.WriteAsync(requestStream.Current switch
                {
                    BatchFrame frame => new ChallengeFrame(Crypto.Sha256.Hash(frame.Batch.Body.Span)),
                    MalformedFrame => WelcomeFrame.Instance,
                    _ => new HeartbeatFrame(),
                });
            }
        }

        public override Task Subscribe(IAsyncStreamReader<ISubscribeRequest> requestStream, IServerStreamWriter<ISubscribeReply> responseStream, ServerCallContext context) =>
            responseStream.WriteAsync(new HeartbeatFrame());

        public override Task Fetch(IAsyncStreamReader<IFetchRequest> requestStream, IServerStreamWriter<IFetchReply> responseStream, ServerCallContext context) =>
            responseStream.WriteAsync(new FetchedFrame(default, null));

        public override Task Evidence(IAsyncStreamReader<IEvidenceRequest> requestStream, IServerStreamWriter<IEvidenceReply> responseStream, ServerCallContext context) =>
            responseStream.WriteAsync((IEvidenceReply)Sample.Named("evidence").Frame);

        public override Task Status(IAsyncStreamReader<IStatusRequest> requestStream, IServerStreamWriter<IStatusReply> responseStream, ServerCallContext context) =>
            responseStream.WriteAsync((IStatusReply)Sample.Named("status").Frame);
    }

    private sealed class PeerMirror : PeerServiceBase
    {
        public override Task Exchange(IAsyncStreamReader<IExchangeRequest> requestStream, IServerStreamWriter<IExchangeReply> responseStream, ServerCallContext context) =>
            responseStream.WriteAsync(WelcomeFrame.Instance);
    }
}
