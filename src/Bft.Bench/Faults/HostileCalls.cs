using System.Security.Cryptography;
using Bft.Crypto;
using Bft.Wire.Frames;
using Bft.Wire.Services;
using Grpc.Core;

namespace Bft.Bench.Faults;

/// <summary>What a hostile witness does on the calls that clients make: as much junk as each takes. It withholds everything true.</summary>
internal sealed class HostileWitnessService(Junk junk, bool isGarbled) : WitnessServiceBase
{
    private static readonly TimeSpan HeartbeatPause = TimeSpan.FromMilliseconds(1);

    public override Task<IInfoReply> Info(IInfoRequest request, ServerCallContext context) => Task.FromResult<IInfoReply>(EmptyFrame.Instance);

    public override async Task Publish(IAsyncStreamReader<IPublishRequest> requestStream, IServerStreamWriter<IPublishReply> responseStream, ServerCallContext context)
    {
        await HostileSession.OpenAsync(requestStream, responseStream, context);
        Task draining = HostileSession.DrainAsync(requestStream, context);
        while (!draining.IsCompleted)
        {
            await responseStream.WriteAsync(junk.Next(), context.CancellationToken);
        }
    }

    /// <summary>Garbled: a forged tip, again and again. Else heartbeats, a thousand per second, and never a batch.</summary>
    public override async Task Subscribe(IAsyncStreamReader<ISubscribeRequest> requestStream, IServerStreamWriter<ISubscribeReply> responseStream, ServerCallContext context)
    {
        await HostileSession.OpenAsync(requestStream, responseStream, context);
        while (!context.CancellationToken.IsCancellationRequested)
        {
            await responseStream.WriteAsync(isGarbled ? new TipFrame(junk.Certificate) : new HeartbeatFrame(), context.CancellationToken);
            await Task.Delay(HeartbeatPause, context.CancellationToken);
        }
    }

    /// <summary>Never answers.</summary>
    public override async Task Fetch(IAsyncStreamReader<IFetchRequest> requestStream, IServerStreamWriter<IFetchReply> responseStream, ServerCallContext context)
    {
        await HostileSession.OpenAsync(requestStream, responseStream, context);
        await HostileSession.DrainAsync(requestStream, context);
    }

    public override async Task Evidence(IAsyncStreamReader<IEvidenceRequest> requestStream, IServerStreamWriter<IEvidenceReply> responseStream, ServerCallContext context)
    {
        await HostileSession.OpenAsync(requestStream, responseStream, context);
        await responseStream.WriteAsync(new EvidenceFrame(junk.Certificate), context.CancellationToken);
    }

    public override Task Status(IAsyncStreamReader<IStatusRequest> requestStream, IServerStreamWriter<IStatusReply> responseStream, ServerCallContext context) =>
        throw new RpcException(new Status(StatusCode.Unavailable, "no"));
}

/// <summary>Takes what its peers tell, and forgets it.</summary>
internal sealed class HostilePeerService : PeerServiceBase
{
    public override async Task Exchange(IAsyncStreamReader<IExchangeRequest> requestStream, IServerStreamWriter<IExchangeReply> responseStream, ServerCallContext context)
    {
        await HostileSession.OpenAsync(requestStream, responseStream, context);
        await HostileSession.DrainAsync(requestStream, context);
    }
}

/// <summary>A session as an honest witness opens it, but that any hello will do.</summary>
internal static class HostileSession
{
    public static async Task OpenAsync<TRequest, TReply>(IAsyncStreamReader<TRequest> requests, IServerStreamWriter<TReply> replies, ServerCallContext context)
        where TRequest : class, IFrame
        where TReply : class, IFrame
    {
        await replies.WriteAsync((TReply)(IFrame)new ChallengeFrame(new Digest(RandomNumberGenerator.GetBytes(Digest.Length))), context.CancellationToken);
        await requests.MoveNext(context.CancellationToken);
        await replies.WriteAsync((TReply)(IFrame)WelcomeFrame.Instance, context.CancellationToken);
    }

    /// <summary>Reads to the end, so that nobody has to wait with sending.</summary>
    public static async Task DrainAsync<TRequest>(IAsyncStreamReader<TRequest> requests, ServerCallContext context)
    {
        while (await requests.MoveNext(context.CancellationToken))
        {
        }
    }
}
