using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Wire.Services;

/// <summary>Calls a witness. Each call's <see cref="CallOptions"/> carry its deadline and cancellation; sessions are opened by the caller.</summary>
/// <remarks>One reader and one writer per call. Thread-safe otherwise.</remarks>
public sealed class WitnessClient : ClientBase<WitnessClient>
{
    public WitnessClient(ChannelBase channel)
        : base(channel)
    {
    }

    public WitnessClient(CallInvoker callInvoker)
        : base(callInvoker)
    {
    }

    private WitnessClient(ClientBaseConfiguration configuration)
        : base(configuration)
    {
    }

    public AsyncUnaryCall<IInfoReply> InfoAsync(CallOptions options) => CallInvoker.AsyncUnaryCall(WitnessMethods.Info, null, options, EmptyFrame.Instance);

    public AsyncDuplexStreamingCall<IPublishRequest, IPublishReply> Publish(CallOptions options) =>
        CallInvoker.AsyncDuplexStreamingCall(WitnessMethods.Publish, null, options);

    public AsyncDuplexStreamingCall<ISubscribeRequest, ISubscribeReply> Subscribe(CallOptions options) =>
        CallInvoker.AsyncDuplexStreamingCall(WitnessMethods.Subscribe, null, options);

    public AsyncDuplexStreamingCall<IFetchRequest, IFetchReply> Fetch(CallOptions options) =>
        CallInvoker.AsyncDuplexStreamingCall(WitnessMethods.Fetch, null, options);

    public AsyncDuplexStreamingCall<IEvidenceRequest, IEvidenceReply> Evidence(CallOptions options) =>
        CallInvoker.AsyncDuplexStreamingCall(WitnessMethods.Evidence, null, options);

    public AsyncDuplexStreamingCall<IStatusRequest, IStatusReply> Status(CallOptions options) =>
        CallInvoker.AsyncDuplexStreamingCall(WitnessMethods.Status, null, options);

    protected override WitnessClient NewInstance(ClientBaseConfiguration configuration) => new(configuration);
}
