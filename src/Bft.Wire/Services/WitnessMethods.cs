using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Wire.Services;

/// <summary>The calls of <c>bft.v1.Witness</c>.</summary>
internal static class WitnessMethods
{
    private const string Service = "bft.v1.Witness";

    public static readonly Method<IInfoRequest, IInfoReply> Info = new(
        MethodType.Unary, Service, nameof(Info), FrameMarshaller.Of<IInfoRequest>(), FrameMarshaller.Of<IInfoReply>());

    public static readonly Method<IPublishRequest, IPublishReply> Publish = Duplex<IPublishRequest, IPublishReply>(nameof(Publish));

    public static readonly Method<ISubscribeRequest, ISubscribeReply> Subscribe = Duplex<ISubscribeRequest, ISubscribeReply>(nameof(Subscribe));

    public static readonly Method<IFetchRequest, IFetchReply> Fetch = Duplex<IFetchRequest, IFetchReply>(nameof(Fetch));

    public static readonly Method<IEvidenceRequest, IEvidenceReply> Evidence = Duplex<IEvidenceRequest, IEvidenceReply>(nameof(Evidence));

    public static readonly Method<IStatusRequest, IStatusReply> Status = Duplex<IStatusRequest, IStatusReply>(nameof(Status));

    private static Method<TRequest, TReply> Duplex<TRequest, TReply>(string name)
        where TRequest : class, IFrame
        where TReply : class, IFrame =>
        new(MethodType.DuplexStreaming, Service, name, FrameMarshaller.Of<TRequest>(), FrameMarshaller.Of<TReply>());
}
