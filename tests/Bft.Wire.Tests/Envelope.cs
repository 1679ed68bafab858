using System.Buffers;
using Bft.Wire.Frames;
using Bft.Wire.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Bft.Wire.Tests;

/// <summary>One message of the contract: how the generated code reads it, and how ours does.</summary>
internal sealed record Envelope(string Name, Type Frames, MessageDescriptor Descriptor, Func<ReadOnlySequence<byte>, IFrame> Decode)
{
    public static IReadOnlyList<Envelope> All { get; } =
    [
        Of<IInfoReply>(InfoReply.Descriptor),
        Of<IPublishRequest>(PublishRequest.Descriptor),
        Of<IPublishReply>(PublishReply.Descriptor),
        Of<ISubscribeRequest>(SubscribeRequest.Descriptor),
        Of<ISubscribeReply>(SubscribeReply.Descriptor),
        Of<IFetchRequest>(FetchRequest.Descriptor),
        Of<IFetchReply>(FetchReply.Descriptor),
        Of<IEvidenceRequest>(EvidenceRequest.Descriptor),
        Of<IEvidenceReply>(EvidenceReply.Descriptor),
        Of<IStatusRequest>(StatusRequest.Descriptor),
        Of<IStatusReply>(StatusReply.Descriptor),
        Of<IExchangeRequest>(ExchangeRequest.Descriptor),
        Of<IExchangeReply>(ExchangeReply.Descriptor),
    ];

    public bool Takes(IFrame frame) => Frames.IsInstanceOfType(frame);

    /// <summary>The generated parser without unknown fields, which our frames do not keep either.</summary>
    public IMessage Parse(byte[] bytes) => Descriptor.Parser.WithDiscardUnknownFields(true).ParseFrom(bytes);

    /// <summary>The field of the frame that the generated parser found; 0 for none.</summary>
    public int FieldOf(IMessage message) => Descriptor.Oneofs[0].Accessor.GetCaseFieldDescriptor(message)?.FieldNumber ?? 0;

    /// <summary>The message with this content, built by the generated code.</summary>
    public IMessage With(int field, IMessage content)
    {
        IMessage message = Descriptor.Parser.ParseFrom([]);
        Descriptor.FindFieldByNumber(field).Accessor.SetValue(message, content);
        return message;
    }

    public override string ToString() => Name;

    private static Envelope Of<T>(MessageDescriptor descriptor)
        where T : class, IFrame => new(descriptor.Name, typeof(T), descriptor, bytes => FrameCodec.Decode<T>(bytes));
}
