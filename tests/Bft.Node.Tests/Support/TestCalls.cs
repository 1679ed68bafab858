using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol.Verification;
using Bft.Storage;
using Bft.Wire;
using Bft.Wire.Frames;
using Bft.Wire.Services;
using Grpc.Core;
using Grpc.Net.Client;

namespace Bft.Node.Tests.Support;

/// <summary>A connection to one witness, with calls on which the session is open already.</summary>
public sealed class TestConnection : IDisposable
{
    private readonly LocalCluster _cluster;
    private readonly WitnessEntry _witness;
    private readonly GrpcChannel _channel;
    private readonly Digest _pin;

    /// <param name="cluster">Whose witness.</param>
    /// <param name="witness">Which.</param>
    /// <param name="isLocal">Over its Unix socket, and not by TLS.</param>
    public TestConnection(LocalCluster cluster, int witness, bool isLocal = false)
    {
        _cluster = cluster;
        _witness = cluster.File.Witnesses[witness];
        SocketsHttpHandler handler = new();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) =>
            shown is X509Certificate2 certificate && Sha256.Hash(certificate.PublicKey.ExportSubjectPublicKeyInfo()) == _witness.Pin;
        if (isLocal)
        {
            LocalSocket socket = new(_witness.Socket!, why => throw new InvalidOperationException(why));
            handler.ConnectCallback = (_, cancellationToken) => socket.ConnectAsync(cancellationToken);
        }

        _pin = isLocal ? default : _witness.Pin;
        _channel = GrpcChannel.ForAddress(isLocal ? new Uri("http://localhost") : _witness.Address, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = FrameLimits.MessageBytesMax(cluster.File.Limits),
        });
        Witness = new WitnessClient(_channel);
        Peer = new PeerClient(_channel);
    }

    public WitnessClient Witness { get; }

    public PeerClient Peer { get; }

    public async Task<TestCall<IPublishRequest, IPublishReply>> PublishAsync(Ed25519Signer signer) => await OpenAsync(Witness.Publish(new CallOptions()), signer);

    public async Task<TestCall<ISubscribeRequest, ISubscribeReply>> SubscribeAsync(Ed25519Signer signer, StartFrame start)
    {
        TestCall<ISubscribeRequest, ISubscribeReply> call = await OpenAsync(Witness.Subscribe(new CallOptions()), signer);
        await call.WriteAsync(start);
        return call;
    }

    public async Task<TestCall<IFetchRequest, IFetchReply>> FetchAsync(Ed25519Signer signer) => await OpenAsync(Witness.Fetch(new CallOptions()), signer);

    public async Task<StatusFrame> StatusAsync(Ed25519Signer signer)
    {
        using TestCall<IStatusRequest, IStatusReply> call = await OpenAsync(Witness.Status(new CallOptions()), signer);
        return await call.NextAsync<StatusFrame>();
    }

    /// <summary>Opens the session as a client does, or with what a test changes about its statement.</summary>
    public async Task<TestCall<TRequest, TReply>> OpenAsync<TRequest, TReply>(
        AsyncDuplexStreamingCall<TRequest, TReply> inner, Ed25519Signer signer, Func<HelloStatement, HelloStatement>? change = null)
        where TRequest : class, IFrame
        where TReply : class, IFrame
    {
        TestCall<TRequest, TReply> call = new(inner);
        ChallengeFrame challenge = await call.NextAsync<ChallengeFrame>();
        HelloStatement statement = new(_cluster.Committee.Cluster, signer.PublicKey, _witness.Index, _pin, challenge.Nonce);
        statement = change?.Invoke(statement) ?? statement;
        try
        {
            await call.WriteAsync((TRequest)(object)new HelloFrame(signer.PublicKey, statement.Sign(signer)));
        }
        catch (RpcException)
        {
            // A hello that is refused ends the call, which may reset the request before the write is over; why is told to whoever reads on.
        }

        await call.NextAsync<WelcomeFrame>();
        return call;
    }

    public void Dispose() => _channel.Dispose();
}

/// <summary>A duplex call; every wait on it ends.</summary>
public sealed class TestCall<TRequest, TReply>(AsyncDuplexStreamingCall<TRequest, TReply> call) : IDisposable
    where TRequest : class, IFrame
    where TReply : class, IFrame
{
    public Task WriteAsync(TRequest frame) => call.RequestStream.WriteAsync(frame).WaitAsync(LocalCluster.Patience);

    /// <summary>The next frame that is no heartbeat; null at the end.</summary>
    /// <exception cref="TimeoutException">Nothing but heartbeats came.</exception>
    public async Task<TReply?> NextAsync()
    {
        long begun = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begun) < LocalCluster.Patience ? await call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(LocalCluster.Patience) : throw new TimeoutException("Nothing but heartbeats came."))
        {
            if (call.ResponseStream.Current is not HeartbeatFrame)
            {
                return call.ResponseStream.Current;
            }
        }

        return null;
    }

    /// <summary>The next frame of this kind; others before it are skipped.</summary>
    public async Task<TFrame> NextAsync<TFrame>()
        where TFrame : class, IFrame
    {
        while (await NextAsync() is { } frame)
        {
            if (frame is TFrame wanted)
            {
                return wanted;
            }
        }

        throw new InvalidOperationException($"The call ended before a {typeof(TFrame).Name} came.");
    }

    /// <summary>The next frame that a test looks at, heartbeats too.</summary>
    public async Task<TReply?> NextRawAsync(Func<TReply, bool> isWanted)
    {
        while (await call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(LocalCluster.Patience))
        {
            if (isWanted(call.ResponseStream.Current))
            {
                return call.ResponseStream.Current;
            }
        }

        return null;
    }

    public void Dispose() => call.Dispose();
}
