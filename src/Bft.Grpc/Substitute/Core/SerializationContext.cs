using System.Buffers;

namespace Grpc.Core;

/// <summary>Where a marshaller puts one message. Valid during the call of the serializer only.</summary>
/// <remarks>
/// A serializer that calls <see cref="SetPayloadLength"/> and then <see cref="GetBufferWriter"/> writes straight into the transport's
/// buffer, and the size limit is checked before a byte is written. The length must be exact: a broken promise ends the call.
/// </remarks>
public abstract class SerializationContext
{
    /// <summary>The whole message at once, instead of <see cref="GetBufferWriter"/> and <see cref="Complete()"/>.</summary>
    public virtual void Complete(byte[] payload) => throw new NotSupportedException();

    public virtual IBufferWriter<byte> GetBufferWriter() => throw new NotSupportedException();

    /// <param name="payloadLength">Bytes that will be written, exactly.</param>
    public virtual void SetPayloadLength(int payloadLength)
    {
    }

    /// <summary>The message is whole.</summary>
    public virtual void Complete() => throw new NotSupportedException();
}

/// <summary>Where a marshaller finds one message. Valid during the call of the deserializer only.</summary>
public abstract class DeserializationContext
{
    /// <summary>Length in bytes.</summary>
    public abstract int PayloadLength { get; }

    /// <summary>A copy that the caller owns.</summary>
    public virtual byte[] PayloadAsNewBuffer() => throw new NotSupportedException();

    /// <summary>The transport's own buffers, without a copy. They are reused once the deserializer returns.</summary>
    public virtual ReadOnlySequence<byte> PayloadAsReadOnlySequence() => throw new NotSupportedException();
}
