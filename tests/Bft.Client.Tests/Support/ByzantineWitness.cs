using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Node.Tests.Support;
using Bft.Protocol;
using Bft.Wire.Frames;
using Bft.Wire.Services;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Bft.Client.Tests.Support;

/// <summary>A witness with a real TLS key that serves what another witness has, after changing it.</summary>
internal sealed class ByzantineWitness : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Service _service;

    private ByzantineWitness(WebApplication app, Service service)
    {
        _app = app;
        _service = service;
    }

    /// <summary>Subscriptions that were served something forged.</summary>
    public int Forged => _service.Forged;

    /// <param name="cluster">Whose witness it stands in for.</param>
    /// <param name="index">Which one; it does not run.</param>
    /// <param name="honest">Where the real frames come from.</param>
    /// <param name="forge">What becomes of a frame.</param>
    public static Task<ByzantineWitness> StartAsync(LocalCluster cluster, int index, int honest, Func<ISubscribeReply, ISubscribeReply> forge)
    {
        WitnessEntry source = cluster.File.Witnesses[honest];
        return StartAsync(cluster, index, new Service(new WitnessConnection(source, ClusterLimits.Default, TimeSpan.FromSeconds(5), _ => { }), new Session(cluster.Committee.Cluster, cluster.Publisher), forge, []));
    }

    /// <summary>One that makes up all that it serves: these frames to each subscription, then heartbeats.</summary>
    public static Task<ByzantineWitness> StartAsync(LocalCluster cluster, int index, params IReadOnlyList<ISubscribeReply> frames) =>
        StartAsync(cluster, index, new Service(null, null, frame => frame, frames));

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static async Task<ByzantineWitness> StartAsync(LocalCluster cluster, int index, Service service)
    {
        string home = Path.GetDirectoryName(cluster.OptionsOf(index).KeyFile)!;
        using X509Certificate2 pem = X509Certificate2.CreateFromPemFile(Path.Combine(home, "tls.crt"), Path.Combine(home, "tls.key"));
        X509Certificate2 certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, cluster.File.Witnesses[index].Address.Port, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseHttps(https =>
            {
                https.ServerCertificate = certificate;
                https.SslProtocols = SslProtocols.Tls13;
            });
        }));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(service);
        WebApplication app = builder.Build();
        app.MapGrpcService<Service>();
        await app.StartAsync();
        return new ByzantineWitness(app, service);
    }

    internal sealed class Service(WitnessConnection? honest, Session? session, Func<ISubscribeReply, ISubscribeReply> forge, IReadOnlyList<ISubscribeReply> frames) : WitnessServiceBase
    {
        private int _forged;

        public int Forged => _forged;

        public override async Task Subscribe(IAsyncStreamReader<ISubscribeRequest> requestStream, IServerStreamWriter<ISubscribeReply> responseStream, ServerCallContext context)
        {
            await responseStream.WriteAsync(new ChallengeFrame(Sha256.Hash([1])));
            await requestStream.MoveNext();
            await responseStream.WriteAsync(WelcomeFrame.Instance);
            await requestStream.MoveNext();
            if (honest is null || session is null)
            {
                await MakeUpAsync((StartFrame)requestStream.Current, responseStream, context.CancellationToken);
                return;
            }

            Route route = honest.Receiving;
            using AsyncDuplexStreamingCall<ISubscribeRequest, ISubscribeReply> call = route.Client.Subscribe(new CallOptions(cancellationToken: context.CancellationToken));
            await session.OpenAsync(call, route, context.CancellationToken);
            await call.RequestStream.WriteAsync(requestStream.Current);
            while (await call.ResponseStream.MoveNext(context.CancellationToken))
            {
                ISubscribeReply reply = forge(call.ResponseStream.Current);
                _forged += ReferenceEquals(reply, call.ResponseStream.Current) ? 0 : 1;
                await responseStream.WriteAsync(reply);
            }
        }

        private async Task MakeUpAsync(StartFrame start, IServerStreamWriter<ISubscribeReply> replies, CancellationToken cancellationToken)
        {
            foreach (ISubscribeReply frame in frames.Where(frame => start.WithBodies || frame is TipFrame))
            {
                await replies.WriteAsync(frame, cancellationToken);
                _forged++;
            }

            using PeriodicTimer timer = new(TimeSpan.FromSeconds(1));
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                await replies.WriteAsync(new HeartbeatFrame(), cancellationToken);
            }
        }

        public override Task<IInfoReply> Info(IInfoRequest request, ServerCallContext context) => throw Unimplemented();

        public override Task Publish(IAsyncStreamReader<IPublishRequest> requestStream, IServerStreamWriter<IPublishReply> responseStream, ServerCallContext context) => throw Unimplemented();

        public override Task Fetch(IAsyncStreamReader<IFetchRequest> requestStream, IServerStreamWriter<IFetchReply> responseStream, ServerCallContext context) => throw Unimplemented();

        public override Task Evidence(IAsyncStreamReader<IEvidenceRequest> requestStream, IServerStreamWriter<IEvidenceReply> responseStream, ServerCallContext context) => throw Unimplemented();

        public override Task Status(IAsyncStreamReader<IStatusRequest> requestStream, IServerStreamWriter<IStatusReply> responseStream, ServerCallContext context) => throw Unimplemented();

        private static RpcException Unimplemented() => new(new Status(StatusCode.Unimplemented, "not here"));
    }
}
