using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Wire.Services;

/// <summary>The call of <c>bft.v1.Peer</c>.</summary>
internal static class PeerMethods
{
    public static readonly Method<IExchangeRequest, IExchangeReply> Exchange = new(
        MethodType.DuplexStreaming, "bft.v1.Peer", nameof(Exchange), FrameMarshaller.Of<IExchangeRequest>(), FrameMarshaller.Of<IExchangeReply>());
}

/// <summary>Calls another witness.</summary>
public sealed class PeerClient : ClientBase<PeerClient>
{
    public PeerClient(ChannelBase channel)
        : base(channel)
    {
    }

    public PeerClient(CallInvoker callInvoker)
        : base(callInvoker)
    {
    }

    private PeerClient(ClientBaseConfiguration configuration)
        : base(configuration)
    {
    }

    public AsyncDuplexStreamingCall<IExchangeRequest, IExchangeReply> Exchange(CallOptions options) =>
        CallInvoker.AsyncDuplexStreamingCall(PeerMethods.Exchange, null, options);

    protected override PeerClient NewInstance(ClientBaseConfiguration configuration) => new(configuration);
}

/// <summary>What a witness implements for its peers; <c>MapGrpcService</c> takes it.</summary>
[BindServiceMethod(typeof(PeerServiceBase), nameof(BindService))]
public abstract class PeerServiceBase
{
    public abstract Task Exchange(IAsyncStreamReader<IExchangeRequest> requestStream, IServerStreamWriter<IExchangeReply> responseStream, ServerCallContext context);

    /// <inheritdoc cref="WitnessServiceBase.BindService"/>
    public static void BindService(ServiceBinderBase binder, PeerServiceBase? service)
    {
        ArgumentNullException.ThrowIfNull(binder);
        binder.AddMethod(PeerMethods.Exchange, service is null ? null : new DuplexStreamingServerMethod<IExchangeRequest, IExchangeReply>(service.Exchange));
    }
}
