using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Wire.Services;

/// <summary>What a witness implements for clients; <c>MapGrpcService</c> takes it.</summary>
[BindServiceMethod(typeof(WitnessServiceBase), nameof(BindService))]
public abstract class WitnessServiceBase
{
    public abstract Task<IInfoReply> Info(IInfoRequest request, ServerCallContext context);

    public abstract Task Publish(IAsyncStreamReader<IPublishRequest> requestStream, IServerStreamWriter<IPublishReply> responseStream, ServerCallContext context);

    public abstract Task Subscribe(IAsyncStreamReader<ISubscribeRequest> requestStream, IServerStreamWriter<ISubscribeReply> responseStream, ServerCallContext context);

    public abstract Task Fetch(IAsyncStreamReader<IFetchRequest> requestStream, IServerStreamWriter<IFetchReply> responseStream, ServerCallContext context);

    public abstract Task Evidence(IAsyncStreamReader<IEvidenceRequest> requestStream, IServerStreamWriter<IEvidenceReply> responseStream, ServerCallContext context);

    public abstract Task Status(IAsyncStreamReader<IStatusRequest> requestStream, IServerStreamWriter<IStatusReply> responseStream, ServerCallContext context);

    /// <summary>Lists the calls for a server, which passes null where it makes an instance for each call.</summary>
    public static void BindService(ServiceBinderBase binder, WitnessServiceBase? service)
    {
        ArgumentNullException.ThrowIfNull(binder);
        binder.AddMethod(WitnessMethods.Info, service is null ? null : new UnaryServerMethod<IInfoRequest, IInfoReply>(service.Info));
        binder.AddMethod(WitnessMethods.Publish, service is null ? null : new DuplexStreamingServerMethod<IPublishRequest, IPublishReply>(service.Publish));
        binder.AddMethod(WitnessMethods.Subscribe, service is null ? null : new DuplexStreamingServerMethod<ISubscribeRequest, ISubscribeReply>(service.Subscribe));
        binder.AddMethod(WitnessMethods.Fetch, service is null ? null : new DuplexStreamingServerMethod<IFetchRequest, IFetchReply>(service.Fetch));
        binder.AddMethod(WitnessMethods.Evidence, service is null ? null : new DuplexStreamingServerMethod<IEvidenceRequest, IEvidenceReply>(service.Evidence));
        binder.AddMethod(WitnessMethods.Status, service is null ? null : new DuplexStreamingServerMethod<IStatusRequest, IStatusReply>(service.Status));
    }
}
