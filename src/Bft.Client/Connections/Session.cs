using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;
using Bft.Wire.Services;
using Grpc.Core;

namespace Bft.Client;

/// <summary>A witness sent what no correct one sends, or ended the call; the call is over and tried again later.</summary>
internal sealed class SessionEndedException(string message) : Exception(message);

/// <summary>Who the client is: opens the session that each duplex call begins with (challenge, hello, welcome).</summary>
internal sealed class Session(ClusterId cluster, ISigner identity)
{
    public PublicKey Client => identity.PublicKey;

    public ISigner Signer => identity;

    /// <summary>Makes a call that lasts and opens the session on it, when it is this call's turn (see <see cref="DialTurns"/>).</summary>
    /// <inheritdoc cref="OpenAsync{TRequest, TReply}(AsyncDuplexStreamingCall{TRequest, TReply}, Route, CancellationToken)"/>
    public async Task<AsyncDuplexStreamingCall<TRequest, TReply>> OpenAsync<TRequest, TReply>(
        Func<CallOptions, AsyncDuplexStreamingCall<TRequest, TReply>> start, Route route, CancellationToken cancellationToken)
        where TRequest : class, IFrame
        where TReply : class, IFrame
    {
        using DialTurns.Turn turn = await route.TakeTurnAsync(cancellationToken).ConfigureAwait(false);
        AsyncDuplexStreamingCall<TRequest, TReply> call = start(new CallOptions(cancellationToken: cancellationToken));
        try
        {
            await OpenAsync(call, route, cancellationToken).ConfigureAwait(false);
            return call;
        }
        catch
        {
            call.Dispose();
            throw;
        }
    }

    /// <exception cref="RpcException">The witness does not know the client, or the call failed.</exception>
    /// <exception cref="SessionEndedException">The witness keeps to no session.</exception>
    public async Task OpenAsync<TRequest, TReply>(AsyncDuplexStreamingCall<TRequest, TReply> call, Route route, CancellationToken cancellationToken)
        where TRequest : class, IFrame
        where TReply : class, IFrame
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(route.ConnectTimeout);
        try
        {
            ChallengeFrame challenge = await ReadAsync<ChallengeFrame, TReply>(call.ResponseStream, limit.Token).ConfigureAwait(false);
            HelloStatement hello = new(cluster, identity.PublicKey, route.Witness, route.Pin, challenge.Nonce);
            await call.RequestStream.WriteHelloAsync(new HelloFrame(identity.PublicKey, hello.Sign(identity)), limit.Token).ConfigureAwait(false);
            await ReadAsync<WelcomeFrame, TReply>(call.ResponseStream, limit.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new SessionEndedException($"No session within {route.ConnectTimeout.TotalSeconds} s: {error.Message}");
        }
    }

    private static async Task<TFrame> ReadAsync<TFrame, TReply>(IAsyncStreamReader<TReply> replies, CancellationToken cancellationToken)
        where TFrame : class, IFrame
        where TReply : class, IFrame
    {
        if (!await replies.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            throw new SessionEndedException("The witness ended the call before the session was open.");
        }

        return replies.Current as TFrame
            ?? throw new SessionEndedException($"Where {typeof(TFrame).Name} stands, the witness sent {replies.Current.GetType().Name}.");
    }
}
