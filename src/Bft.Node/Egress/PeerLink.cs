using System.Diagnostics;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Wire.Frames;
using Bft.Wire.Services;
using Grpc.Core;
using Polly;
using Polly.Retry;

namespace Bft.Node;

/// <summary>The call on which this witness tells one peer what it acks and stores (W7, W8); dialled again for ever.</summary>
internal sealed class PeerLink(WitnessIndex peer, PeerDialer dialer, EdgeLimits limits, CoreMailbox core, NodeLog log)
{
    private static readonly ResiliencePipeline Redial = new ResiliencePipelineBuilder()
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = new PredicateBuilder().Handle<RpcException>().Handle<TimeoutException>(),
            MaxRetryAttempts = int.MaxValue,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = TimeSpan.FromMilliseconds(50),
            MaxDelay = TimeSpan.FromSeconds(2),
        })
        .Build();

    private volatile Outbox<IExchangeRequest>? _outbox;
    private long _heardAt;

    public WitnessIndex Peer { get; } = peer;

    public bool IsConnected => _outbox is not null;

    /// <summary>Milliseconds since anything came from the peer, on any call; 0 when nothing ever did.</summary>
    public ulong LastHeardMs => Volatile.Read(ref _heardAt) is > 0 and long at ? (ulong)Stopwatch.GetElapsedTime(at).TotalMilliseconds : 0;

    /// <summary>What the peer may cost, over all its calls.</summary>
    public Allowance Allowance { get; } = new();

    /// <summary>A frame that waits here, or is dropped while there is no connection, for a new one begins with all that matters.</summary>
    public void Tell(IExchangeRequest frame, int bytes)
    {
        Allowance.Earn(Allowance.CostOf(frame) + (frame is AcksFrame ? Allowance.Signature : 0));
        _outbox?.Post(frame, bytes);
    }

    /// <summary>W8: a stored tip.</summary>
    public void TellTip(StreamId stream, TipFrame tip)
    {
        Allowance.Earn(Allowance.CostOf(tip));
        _outbox?.PostTip(stream, tip, tip.Certificate.Length);
    }

    public void Heard() => Volatile.Write(ref _heardAt, Stopwatch.GetTimestamp());

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await Redial.ExecuteAsync(async token => await ExchangeAsync(token), cancellationToken);
            }
            catch (Exception e) when (e is RpcException or TimeoutException or OperationCanceledException or InvalidOperationException)
            {
                // Ended after it had been open: dial again at once, with a fresh back-off.
                log.Write($"lost peer {Peer}: {Reason(e)}");
            }
        }
    }

    private static string Reason(Exception e) => e is RpcException rpc ? $"{rpc.StatusCode}: {rpc.Status.Detail}" : e.Message;

    private async Task ExchangeAsync(CancellationToken cancellationToken)
    {
        // A channel of its own each time: the address may have been replaced, the socket be there or gone.
        using PeerChannel channel = dialer.ChannelTo(Peer);
        PeerClient client = new(channel.Calls);
        using AsyncDuplexStreamingCall<IExchangeRequest, IExchangeReply> call = client.Exchange(new CallOptions(cancellationToken: cancellationToken));
        await dialer.OpenAsync(call, channel);
        Outbox<IExchangeRequest> outbox = new(limits.OutboxBytesMax);
        using CancellationTokenRegistration stop = cancellationToken.UnsafeRegister(static outbox => ((Outbox<IExchangeRequest>)outbox!).Close(), outbox);
        _outbox = outbox;
        try
        {
            Heard();
            log.Write($"connected to peer {Peer}{(channel.IsLocal ? " on its socket" : "")}");
            core.Post(new PeerConnectedInput(Peer));
            Task ended = ReadToEndAsync(call.ResponseStream, outbox);
            await outbox.WriteAllAsync(call.RequestStream, new HeartbeatFrame(), limits.HeartbeatInterval);
            await ended;
        }
        catch (Exception e) when (e is RpcException or TimeoutException)
        {
            throw new InvalidOperationException(Reason(e), e);
        }
        finally
        {
            _outbox = null;
        }
    }

    /// <summary>The peer says nothing on this call; that it ends is what there is to learn.</summary>
    private static async Task ReadToEndAsync(IAsyncStreamReader<IExchangeReply> replies, Outbox<IExchangeRequest> outbox)
    {
        try
        {
            while (await replies.MoveNext(CancellationToken.None))
            {
            }
        }
        finally
        {
            outbox.Close();
        }
    }
}
