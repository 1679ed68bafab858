using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Wire.Services;

/// <summary>The codec as gRPC wants it: what cannot be read arrives as a <see cref="MalformedFrame"/>, never as an exception.</summary>
internal static class FrameMarshaller
{
    public static Marshaller<T> Of<T>()
        where T : class, IFrame => new(Serialize, Deserialize<T>);

    private static void Serialize<T>(T frame, SerializationContext context)
        where T : class, IFrame
    {
        context.SetPayloadLength(FrameCodec.LengthOf(frame));
        FrameCodec.Encode(frame, context.GetBufferWriter());
        context.Complete();
    }

    private static T Deserialize<T>(DeserializationContext context)
        where T : class, IFrame => FrameCodec.Decode<T>(context.PayloadAsReadOnlySequence());
}
