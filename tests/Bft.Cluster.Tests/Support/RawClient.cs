using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire;
using Bft.Wire.Frames;
using Bft.Wire.Services;
using Grpc.Core;
using Grpc.Net.Client;

namespace Bft.Cluster.Tests.Support;

/// <summary>A client that may do to one witness what no honest client does.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly ProcessCluster _cluster;
    private readonly SocketsHttpHandler _handler;
    private readonly SocketsHttpHandler _bare; // a channel may make its handler its own, and upstream's does
    private readonly GrpcChannel _channel;

    public RawClient(ProcessCluster cluster, int witness)
    {
        _cluster = cluster;
        Entry = cluster.File.Witnesses[witness];
        _handler = NewHandler();
        _bare = NewHandler();
        _channel = GrpcChannel.ForAddress(Entry.Address, new GrpcChannelOptions { HttpHandler = _handler, MaxReceiveMessageSize = FrameLimits.MessageBytesMax(cluster.File.Limits) });
        Witness = new WitnessClient(_channel);
        Peer = new PeerClient(_channel);
    }

    public WitnessEntry Entry { get; }

    public WitnessClient Witness { get; }

    /// <summary>The call that other witnesses make; for whoever has a witness's key.</summary>
    public PeerClient Peer { get; }

    /// <summary>A TCP connection with nothing on it.</summary>
    public static async Task<NetworkStream> DialAsync(WitnessEntry entry)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(entry.Address.DnsSafeHost, entry.Address.Port, ProcessCluster.Deadline);
        return new NetworkStream(socket, ownsSocket: true);
    }

    /// <summary>A TLS connection with nothing on it.</summary>
    public static async Task<SslStream> DialTlsAsync(WitnessEntry entry, SslProtocols protocols = SslProtocols.Tls13)
    {
        SslStream tls = new(await DialAsync(entry));
        SslClientAuthenticationOptions options = new()
        {
            EnabledSslProtocols = protocols,
            ApplicationProtocols = [SslApplicationProtocol.Http2],
            RemoteCertificateValidationCallback = (_, shown, _, _) => PinOf(shown) == entry.Pin,
        };
        try
        {
            await tls.AuthenticateAsClientAsync(options, ProcessCluster.Deadline);
            return tls;
        }
        catch
        {
            await tls.DisposeAsync();
            throw;
        }
    }

    /// <summary>One gRPC request as bare HTTP.</summary>
    public async Task<HttpResponseMessage> PostAsync(string path, byte[] body, string contentType = "application/grpc")
    {
        using HttpClient http = new(_bare, disposeHandler: false);
        using HttpRequestMessage request = new(HttpMethod.Post, new Uri(Entry.Address, path));
        request.Version = new Version(2, 0);
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        request.Headers.TE.ParseAdd("trailers");
        request.Content = new ByteArrayContent(body) { Headers = { ContentType = new(contentType) } };
        return await http.SendAsync(request, ProcessCluster.Deadline);
    }

    public HelloStatement Hello(Crypto.PublicKey key, Digest nonce) => new(_cluster.File.Committee.Cluster, key, Entry.Index, Entry.Pin, nonce);

    /// <summary>Opens the session as a client does.</summary>
    public async Task<RawCall<TRequest, TReply>> OpenAsync<TRequest, TReply>(AsyncDuplexStreamingCall<TRequest, TReply> inner, Ed25519Signer signer)
        where TRequest : class, IFrame
        where TReply : class, IFrame
    {
        RawCall<TRequest, TReply> call = new(inner);
        ChallengeFrame challenge = await call.NextAsync<ChallengeFrame>();
        await call.WriteAsync(new HelloFrame(signer.PublicKey, Hello(signer.PublicKey, challenge.Nonce).Sign(signer)));
        await call.NextAsync<WelcomeFrame>();
        return call;
    }

    public async Task<RawCall<IPublishRequest, IPublishReply>> PublishAsync(string client = "publisher", CancellationToken cancellationToken = default)
    {
        using Ed25519Signer signer = _cluster.SignerOf(client);
        return await OpenAsync(Witness.Publish(new CallOptions(cancellationToken: cancellationToken)), signer);
    }

    public async Task<RawCall<ISubscribeRequest, ISubscribeReply>> SubscribeAsync(Topic topic)
    {
        using Ed25519Signer signer = _cluster.SignerOf("reader");
        RawCall<ISubscribeRequest, ISubscribeReply> call = await OpenAsync(Witness.Subscribe(new CallOptions()), signer);
        await call.WriteAsync(new StartFrame(topic, StartPosition.Earliest, [], WithBodies: true));
        return call;
    }

    /// <summary>The first batch of a topic, from this witness and no other.</summary>
    public async Task<BodyFrame> FirstBodyAsync(Topic topic)
    {
        using RawCall<ISubscribeRequest, ISubscribeReply> call = await SubscribeAsync(topic);
        return await call.NextAsync<BodyFrame>();
    }

    public void Dispose()
    {
        _channel.Dispose();
        _handler.Dispose();
        _bare.Dispose();
    }

    private SocketsHttpHandler NewHandler()
    {
        SocketsHttpHandler handler = new();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) => PinOf(shown) == Entry.Pin;
        return handler;
    }

    private static Digest PinOf(X509Certificate? shown) => Sha256.Hash(((X509Certificate2)shown!).PublicKey.ExportSubjectPublicKeyInfo());
}

/// <summary>A duplex call; every wait on it ends.</summary>
internal sealed class RawCall<TRequest, TReply>(AsyncDuplexStreamingCall<TRequest, TReply> call) : IDisposable
    where TRequest : class, IFrame
    where TReply : class, IFrame
{
    public Task WriteAsync(IFrame frame) => call.RequestStream.WriteAsync((TRequest)frame).WaitAsync(ProcessCluster.Patience);

    /// <summary>The next frame of this kind; others before it are skipped, refusals and ends are not.</summary>
    public async Task<TFrame> NextAsync<TFrame>()
        where TFrame : class, IFrame
    {
        while (await call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(ProcessCluster.Patience))
        {
            switch (call.ResponseStream.Current)
            {
                case TFrame wanted:
                    return wanted;
                case RefusalFrame or EndFrame:
                    throw new InvalidOperationException($"{call.ResponseStream.Current} came instead.");
            }
        }

        throw new InvalidOperationException($"The call ended before a {typeof(TFrame).Name} came.");
    }

    /// <summary>All that comes, until the call ends.</summary>
    public async IAsyncEnumerable<TReply> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (await call.ResponseStream.MoveNext(cancellationToken))
        {
            yield return call.ResponseStream.Current;
        }
    }

    /// <summary>Reads to the end, which is to be a failure.</summary>
    public async Task<Status> FailureAsync()
    {
        RpcException failure = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(ProcessCluster.Patience))
            {
            }
        });
        return failure.Status;
    }

    public void Dispose() => call.Dispose();
}
