using System.Collections.Concurrent;
using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Storage;
using Bft.Wire.Frames;
using Bft.Wire.Services;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Bft.Cluster.Tests.Support;

/// <summary>
/// A witness with real keys and sockets that acks whatever it is shown, twice if it is shown two, to everybody and at once, and keeps nothing: who fetches from it or reads at it gets silence, rubbish,
/// or one byte after the other. Its peers get acks, and a few times a tip, a certificate or evidence that does not hold.
/// </summary>
internal sealed class LyingWitness : IAsyncDisposable
{
    /// <summary>Each is an offence, and bans grow: after more of them the peers would not hear its contradictions either, for minutes.</summary>
    private const int RubbishMax = 4;

    private readonly ProcessCluster _cluster;
    private readonly int _index;
    private readonly Ed25519Signer _signer;
    private readonly WebApplication _app;
    private readonly CancellationTokenSource _over = new();
    private readonly ConcurrentQueue<IExchangeRequest>[] _toPeers = [.. Enumerable.Range(0, ProcessCluster.Count).Select(_ => new ConcurrentQueue<IExchangeRequest>())];
    private readonly Run _run = new(BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))));
    private readonly Task _telling;
    private long _mark;
    private int _lies;

    private LyingWitness(ProcessCluster cluster, int index, WebApplication app)
    {
        _cluster = cluster;
        _index = index;
        _app = app;
        using SecretBytes seed = KeyFile.Load(Path.Combine(cluster.Folder, $"witness-{index}", "witness.key"));
        _signer = new Ed25519Signer(seed.Span);
        _telling = Task.WhenAll(Enumerable.Range(0, ProcessCluster.Count).Where(peer => peer != index).Select(peer => Task.Run(() => TellAsync(peer))));
    }

    public Crypto.PublicKey Key => _signer.PublicKey;

    public long Acks => Interlocked.Read(ref _mark);

    /// <summary>Fetches and subscriptions that it answered in its way.</summary>
    public int Lies => Volatile.Read(ref _lies);

    /// <summary>In place of a witness that does not run.</summary>
    public static async Task<LyingWitness> StartAsync(ProcessCluster cluster, int index)
    {
        string home = Path.Combine(cluster.Folder, $"witness-{index}");
        using X509Certificate2 pem = X509Certificate2.CreateFromPemFile(Path.Combine(home, "tls.pem"), Path.Combine(home, "tls.key"));
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
        builder.Services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = 8 * 1024 * 1024);
        TaskCompletionSource<LyingWitness> self = new();
        builder.Services.AddSingleton(new Clients(self.Task));
        builder.Services.AddSingleton(new Peers());
        WebApplication app = builder.Build();
        app.MapGrpcService<Clients>();
        app.MapGrpcService<Peers>();
        LyingWitness liar = new(cluster, index, app);
        self.SetResult(liar);
        await app.StartAsync();
        return liar;
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _telling;
        await _app.DisposeAsync();
        _signer.Dispose();
        _over.Dispose();
    }

    private static async Task WelcomeAsync<TRequest, TReply>(IAsyncStreamReader<TRequest> requests, IServerStreamWriter<TReply> replies)
        where TRequest : class, IFrame
        where TReply : class, IFrame
    {
        await replies.WriteAsync((TReply)(IFrame)new ChallengeFrame(Sha256.Hash([1])));
        await requests.MoveNext(CancellationToken.None);
        await replies.WriteAsync((TReply)(IFrame)WelcomeFrame.Instance);
    }

    /// <summary>One ack under a root of its own: for whatever batch this is.</summary>
    private AcksFrame Ack(BatchRef batch)
    {
        AckStatement statement = new(batch, batch.Sequence);
        Digest root = statement.LeafHash(_cluster.File.Committee.Cluster, _cluster.File.Committee.Epoch);
        AckRootStatement signed = new(_cluster.File.Committee.Cluster, _cluster.File.Committee.Epoch, new(_index), _run, new Mark((ulong)Interlocked.Increment(ref _mark)), 1, root);
        return new AcksFrame(new AckBundle(signed, signed.Sign(_signer), [new AckLeaf(statement, 0, [])]).Encode());
    }

    private AcksFrame? OnBatch(SignedBatch signed)
    {
        if (!BatchStatement.TryParse(_cluster.File.Committee.Cluster, signed.Statement.Span, out BatchStatement? statement, out _))
        {
            return null;
        }

        AcksFrame ack = Ack(statement.Reference);
        foreach (ConcurrentQueue<IExchangeRequest> queue in _toPeers)
        {
            queue.Enqueue(ack);
            if (Acks % 50 == 0 && Acks <= 50 * RubbishMax)
            {
                queue.Enqueue((Acks / 50 % 3) switch
                {
                    0 => new TipFrame(Rubbish(400)),
                    1 => new EvidenceFrame(Rubbish(2000)),
                    _ => new AcksFrame(Rubbish(300)),
                });
            }
        }

        return ack;
    }

    private static byte[] Rubbish(int length)
    {
        byte[] bytes = RandomNumberGenerator.GetBytes(length);
        bytes[0] = 1; // a version that exists
        return bytes;
    }

    /// <summary>Its call to a peer, opened again whenever the peer has had enough.</summary>
    private async Task TellAsync(int peer)
    {
        using PeriodicTimer beat = new(TimeSpan.FromMilliseconds(5));
        while (!_over.IsCancellationRequested)
        {
            try
            {
                using RawClient client = new(_cluster, peer);
                using RawCall<IExchangeRequest, IExchangeReply> call = await client.OpenAsync(client.Peer.Exchange(new CallOptions(cancellationToken: _over.Token)), _signer);
                while (await beat.WaitForNextTickAsync(_over.Token))
                {
                    while (_toPeers[peer].TryDequeue(out IExchangeRequest? frame))
                    {
                        await call.WriteAsync(frame);
                    }
                }
            }
            catch (Exception error) when (error is RpcException or InvalidOperationException or TimeoutException or OperationCanceledException or IOException)
            {
                // The peer is down, or has had enough.
            }

            await beat.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    /// <summary>What others send to a witness; it listens to nothing of it.</summary>
    internal sealed class Peers : PeerServiceBase
    {
        public override async Task Exchange(IAsyncStreamReader<IExchangeRequest> requestStream, IServerStreamWriter<IExchangeReply> responseStream, ServerCallContext context)
        {
            await WelcomeAsync(requestStream, responseStream);
            while (await requestStream.MoveNext(context.CancellationToken))
            {
            }
        }
    }

    internal sealed class Clients(Task<LyingWitness> self) : WitnessServiceBase
    {
        public override async Task Publish(IAsyncStreamReader<IPublishRequest> requestStream, IServerStreamWriter<IPublishReply> responseStream, ServerCallContext context)
        {
            LyingWitness liar = await self;
            await WelcomeAsync(requestStream, responseStream);
            while (await requestStream.MoveNext(context.CancellationToken))
            {
                if (requestStream.Current is BatchFrame { Batch: { } batch } && liar.OnBatch(batch) is { } ack)
                {
                    await responseStream.WriteAsync(ack);
                }
            }
        }

        public override async Task Subscribe(IAsyncStreamReader<ISubscribeRequest> requestStream, IServerStreamWriter<ISubscribeReply> responseStream, ServerCallContext context)
        {
            await WelcomeAsync(requestStream, responseStream);
            await requestStream.MoveNext(context.CancellationToken);
            int lie = Interlocked.Increment(ref (await self)._lies);
            await responseStream.WriteAsync((lie % 3) switch
            {
                0 => new TipFrame(Rubbish(400)),
                1 => new CertifiedFrame(Rubbish(400), []),
                _ => new BodyFrame(new Slot(new StreamId(Sha256.Hash([2])), Sequence.Zero), Rubbish(5000)),
            });
            await BeatAsync(responseStream, new HeartbeatFrame(Sha256.Hash([3])), context.CancellationToken);
        }

        public override async Task Fetch(IAsyncStreamReader<IFetchRequest> requestStream, IServerStreamWriter<IFetchReply> responseStream, ServerCallContext context)
        {
            await WelcomeAsync(requestStream, responseStream);
            await requestStream.MoveNext(context.CancellationToken);
            FetchFrame asked = (FetchFrame)requestStream.Current;
            switch (Interlocked.Increment(ref (await self)._lies) % 4)
            {
                case 0:
                    await responseStream.WriteAsync(new CertifiedFrame(Rubbish(400), []));
                    break;
                case 1:
                    await responseStream.WriteAsync(new BodyFrame(new Slot(asked.Stream, asked.From), Rubbish(100)));
                    break;
                case 2:
                    await responseStream.WriteAsync(new FetchedFrame(asked.Stream, asked.To)); // "that was all"
                    break;
                default:
                    await BeatAsync(responseStream, EmptyFrame.Instance, context.CancellationToken); // alive, and never done
                    break;
            }
        }

        public override Task<IInfoReply> Info(IInfoRequest request, ServerCallContext context) => throw Unimplemented();

        public override Task Evidence(IAsyncStreamReader<IEvidenceRequest> requestStream, IServerStreamWriter<IEvidenceReply> responseStream, ServerCallContext context) => throw Unimplemented();

        public override Task Status(IAsyncStreamReader<IStatusRequest> requestStream, IServerStreamWriter<IStatusReply> responseStream, ServerCallContext context) => throw Unimplemented();

        private static async Task BeatAsync<T>(IServerStreamWriter<T> replies, T frame, CancellationToken cancellationToken)
        {
            using PeriodicTimer beat = new(TimeSpan.FromMilliseconds(300));
            while (await beat.WaitForNextTickAsync(cancellationToken))
            {
                await replies.WriteAsync(frame, cancellationToken);
            }
        }

        private static RpcException Unimplemented() => new(new Status(StatusCode.Unimplemented, "not here"));
    }
}
