using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;
using Grpc.Core;
using Microsoft.AspNetCore.Http.Features;

namespace Bft.Node;

/// <summary>Who is at the other end of a call, proven for this call alone.</summary>
internal sealed class Session(PublicKey client, WitnessIndex? peer, Lobby lobby, Action close) : IDisposable
{
    public PublicKey Client { get; } = client;

    /// <summary>The client is this witness; null for others.</summary>
    public WitnessIndex? Peer { get; } = peer;

    /// <summary>Counts an offence against the key, whoever else has a session on the same connection.</summary>
    /// <exception cref="RpcException">That was one too many: the call ends.</exception>
    public void Offend(double weight, string why)
    {
        lobby.Offend(Client, weight, why);
        Sessions.ThrowIfHeldOff(lobby, Client);
    }

    public void Dispose() => close();
}

/// <summary>Opens sessions: challenge, hello, welcome.</summary>
internal sealed class Sessions(NodeIdentity identity, EdgeLimits limits, Lobby lobby)
{
    private const string RetryAfter = "bft-retry-after-ms";

    private readonly ConcurrentDictionary<PublicKey, int> _open = new(); // bound: keys that cluster.yaml names

    /// <param name="requests">Of a call that has just begun.</param>
    /// <param name="replies">Of the same call.</param>
    /// <param name="isForPeers">Only witnesses may call.</param>
    /// <param name="context">Of the same call: says which connection leaves the lobby for as long as the session lasts.</param>
    /// <param name="cancellationToken">The call is over.</param>
    /// <exception cref="RpcException">The caller did not prove who it is, or is nobody.</exception>
    public async Task<Session> OpenAsync<TRequest, TReply>(
        IAsyncStreamReader<TRequest> requests, IServerStreamWriter<TReply> replies, bool isForPeers, ServerCallContext context, CancellationToken cancellationToken)
        where TRequest : class, IFrame
        where TReply : class, IFrame
    {
        Visitor visitor = context.GetHttpContext().Features.GetRequiredFeature<Visitor>();
        Digest nonce = new(RandomNumberGenerator.GetBytes(Digest.Length));
        await replies.WriteAsync((TReply)(object)new ChallengeFrame(nonce), cancellationToken);
        HelloFrame hello = await HelloAsync(requests, visitor, cancellationToken);
        WitnessIndex? peer = identity.Committee.IndexOf(hello.Client);
        if (peer is null && (isForPeers || identity.Cluster.ClientOf(hello.Client) is null))
        {
            lobby.Offend(visitor, Offence.UnknownKey, "hellos of unknown keys");
            throw Refused(StatusCode.PermissionDenied, isForPeers
                ? "Only witnesses of this cluster may call here."
                : $"The key {hello.Client} is no client's in this witness's cluster.yaml.");
        }

        ThrowIfHeldOff(lobby, hello.Client);

        HelloStatement statement = new(identity.Committee.Cluster, hello.Client, identity.Index, visitor.Pin, nonce);
        if (!statement.IsSigned(hello.Signature, Ed25519.Instance))
        {
            // Not against the key that it names: anybody can name one.
            lobby.Offend(visitor, Offence.Hostile, "hellos that are not signed by their key");
            throw Refused(StatusCode.Unauthenticated, "The hello does not sign this cluster, this witness, its TLS key and the challenge of this call.");
        }

        if (_open.AddOrUpdate(hello.Client, 1, static (_, count) => count + 1) > limits.SessionsPerIdentityMax)
        {
            Close(hello.Client);
            throw Refused(StatusCode.ResourceExhausted, $"This key has {limits.SessionsPerIdentityMax} calls open, which is the most.");
        }

        if (!lobby.TryAdmit(visitor, hello.Client))
        {
            Close(hello.Client);
            throw Refused(StatusCode.ResourceExhausted, $"This key has {limits.ConnectionsPerIdentityMax} connections open, which is the most.");
        }

        Session session = new(hello.Client, peer, lobby, () =>
        {
            lobby.OnSessionEnded(visitor);
            Close(hello.Client);
        });
        try
        {
            await replies.WriteAsync((TReply)(object)WelcomeFrame.Instance, cancellationToken);
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <exception cref="RpcException">The key is banned. For how long is there to be read by a program too. Unit: ms.</exception>
    public static void ThrowIfHeldOff(Lobby lobby, PublicKey client)
    {
        if (lobby.Identities.Remaining(client, Environment.TickCount64) is { Ticks: > 0 } wait)
        {
            throw new RpcException(
                new Status(StatusCode.ResourceExhausted, $"This key misbehaved here and may open no session for {Math.Ceiling(wait.TotalSeconds):0} s."),
                new Metadata { { RetryAfter, ((long)wait.TotalMilliseconds).ToString(CultureInfo.InvariantCulture) } });
        }
    }

    private static RpcException Refused(StatusCode code, string detail) => new(new Status(code, detail));

    private void Close(PublicKey client) => _open.AddOrUpdate(client, 0, static (_, count) => count - 1);

    private async Task<HelloFrame> HelloAsync<TRequest>(IAsyncStreamReader<TRequest> requests, Visitor visitor, CancellationToken cancellationToken)
        where TRequest : class, IFrame
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(limits.HelloTimeout);
        try
        {
            if (await requests.MoveNext(patience.Token) && requests.Current is IFrame and HelloFrame hello)
            {
                return hello;
            }

            lobby.Offend(visitor, Offence.Unfinished, "calls without a hello");
            throw Refused(StatusCode.Unauthenticated, "The first message of a call is a hello.");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            lobby.Offend(visitor, Offence.Unfinished, "calls without a hello");
            throw Refused(StatusCode.Unauthenticated, $"No hello came within {limits.HelloTimeout.TotalSeconds:0} s.");
        }
    }
}
