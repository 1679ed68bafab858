using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Grpc.Core;

namespace Grpc.Wire;

/// <summary>Writes the length-prefixed messages of one direction of a call into a pipe, one at a time.</summary>
/// <param name="pipe">The body; what is serialised goes straight into its buffers when the length was said first.</param>
/// <param name="marshaller">Serialises with this object as its context.</param>
/// <param name="lengthMax">Bytes of a message; null means no limit but the 2 GiB of an array.</param>
internal sealed class MessageWriter<T>(PipeWriter pipe, Marshaller<T> marshaller, int? lengthMax) : SerializationContext, IBufferWriter<byte>
    where T : class
{
    private int? _declared;
    private int _written;
    private bool _isPrefixed;
    private bool _isComplete;
    private ArrayBufferWriter<byte>? _undeclared;

    /// <summary>Puts a message into the pipe without sending it.</summary>
    /// <exception cref="RpcException">It is over the limit.</exception>
    /// <exception cref="InvalidOperationException">The serializer broke its contract; the pipe may hold half a message.</exception>
    public void Write(T message)
    {
        _declared = null;
        _written = 0;
        _isPrefixed = false;
        _isComplete = false;
        _undeclared = null;
        marshaller.ContextualSerializer(message, this);
        if (!_isComplete || (_declared is { } length && _written != length))
        {
            throw new InvalidOperationException($"The serializer declared {_declared} bytes and wrote {_written}, completed: {_isComplete}.");
        }
    }

    /// <summary>Completes when the transport accepted what was written.</summary>
    public ValueTask<FlushResult> SendAsync(WriteOptions? options, CancellationToken cancellationToken)
    {
        bool mayWait = options is not null && options.Flags.HasFlag(WriteFlags.BufferHint) && pipe.UnflushedBytes < Framing.HeldBackMax;
        return mayWait ? default : pipe.FlushAsync(cancellationToken);
    }

    /// <summary>Sends what was held back and gives the buffers back.</summary>
    public ValueTask CompleteAsync(Exception? failure = null) => pipe.CompleteAsync(failure);

    public override void SetPayloadLength(int payloadLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(payloadLength);
        CheckLimit(payloadLength);
        _declared = payloadLength;
    }

    public override IBufferWriter<byte> GetBufferWriter()
    {
        if (_declared is not { } length)
        {
            _undeclared ??= new ArrayBufferWriter<byte>();
        }
        else if (!_isPrefixed)
        {
            WritePrefix(length);
        }

        return this;
    }

    public override void Complete()
    {
        if (_undeclared is not null)
        {
            Complete(_undeclared.WrittenSpan);
        }
        else if (_declared == 0 && !_isPrefixed)
        {
            WritePrefix(0);
        }

        _isComplete = true;
    }

    public override void Complete(byte[] payload)
    {
        ArgumentNullException.ThrowIfNull(payload);
        _declared = null;
        Complete(payload.AsSpan());
        _isComplete = true;
    }

    void IBufferWriter<byte>.Advance(int count)
    {
        _written += count;
        Target.Advance(count);
    }

    Memory<byte> IBufferWriter<byte>.GetMemory(int sizeHint) => Target.GetMemory(sizeHint);

    Span<byte> IBufferWriter<byte>.GetSpan(int sizeHint) => Target.GetSpan(sizeHint);

    private IBufferWriter<byte> Target => (IBufferWriter<byte>?)_undeclared ?? pipe;

    private void Complete(ReadOnlySpan<byte> payload)
    {
        CheckLimit(payload.Length);
        WritePrefix(payload.Length);
        pipe.Write(payload);
    }

    private void WritePrefix(int length)
    {
        Span<byte> prefix = pipe.GetSpan(Framing.PrefixLength);
        prefix[0] = 0;
        BinaryPrimitives.WriteInt32BigEndian(prefix[1..], length);
        pipe.Advance(Framing.PrefixLength);
        _isPrefixed = true;
    }

    private void CheckLimit(int length)
    {
        if (length > (lengthMax ?? Framing.LengthMax))
        {
            throw new RpcException(new Status(StatusCode.ResourceExhausted, $"A message of {length} bytes is over the sender's limit of {lengthMax}."));
        }
    }
}
