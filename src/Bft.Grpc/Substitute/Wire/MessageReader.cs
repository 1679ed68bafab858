using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Grpc.Core;

namespace Grpc.Wire;

/// <summary>Cuts the length-prefixed messages of one direction of a call out of a pipe, one at a time.</summary>
/// <param name="pipe">The body; it grows with what arrives, never with what a prefix promises beyond the limit.</param>
/// <param name="marshaller">Gets the pipe's own buffers.</param>
/// <param name="lengthMax">Bytes of a message; null means no limit but the 2 GiB of an array.</param>
/// <param name="encoding">What the peer named as <c>grpc-encoding</c>.</param>
internal sealed class MessageReader<T>(PipeReader pipe, Marshaller<T> marshaller, int? lengthMax, string? encoding)
    where T : class
{
    private readonly Payload _payload = new();
    private RpcException? _failure;

    /// <summary>The next message, or null at the end of the stream.</summary>
    /// <exception cref="RpcException">The bytes are not what the specification allows; every later read fails alike.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<T?> ReadAsync(CancellationToken cancellationToken)
    {
        int wanted = Framing.PrefixLength;
        while (true)
        {
            if (_failure is not null)
            {
                throw _failure;
            }

            ReadResult result = await pipe.ReadAtLeastAsync(wanted, cancellationToken).ConfigureAwait(false);
            ReadOnlySequence<byte> buffer = result.Buffer;
            if (result.IsCanceled)
            {
                pipe.AdvanceTo(buffer.Start);
                throw new OperationCanceledException(cancellationToken);
            }

            if (TryRead(buffer, ref wanted, out T? message))
            {
                pipe.AdvanceTo(buffer.GetPosition(wanted));
                return message;
            }

            // Examined to the end: that opens the sender's window again, though the message may be larger than the window.
            pipe.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted && _failure is null)
            {
                if (buffer.IsEmpty)
                {
                    return null;
                }

                Fail(StatusCode.Internal, "The stream ended inside a message.");
            }
        }
    }

    /// <summary>Gives the buffers back. No read may be under way.</summary>
    public void Complete() => pipe.Complete();

    private bool TryRead(ReadOnlySequence<byte> buffer, ref int wanted, [NotNullWhen(true)] out T? message)
    {
        message = null;
        if (buffer.Length < Framing.PrefixLength || !TryReadPrefix(buffer, out int length))
        {
            return false;
        }

        wanted = Framing.PrefixLength + length;
        if (buffer.Length < wanted)
        {
            return false;
        }

        _payload.Bytes = buffer.Slice(Framing.PrefixLength, length);
        try
        {
            message = marshaller.ContextualDeserializer(_payload);
        }
        catch (Exception e)
        {
            _failure = e as RpcException ?? Error(StatusCode.Internal, "A message could not be parsed.", e);
            return false;
        }
        finally
        {
            _payload.Bytes = default;
        }

        if (message is null)
        {
            Fail(StatusCode.Internal, "A message could not be parsed.");
        }

        return message is not null;
    }

    private bool TryReadPrefix(ReadOnlySequence<byte> buffer, out int length)
    {
        Span<byte> prefix = stackalloc byte[Framing.PrefixLength];
        buffer.Slice(0, Framing.PrefixLength).CopyTo(prefix);
        uint declared = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        length = 0;

        if (prefix[0] == 1 && encoding is not (null or GrpcHeaders.Identity))
        {
            Fail(StatusCode.Unimplemented, "The message's compression is not supported; send with grpc-encoding identity.");
        }
        else if (prefix[0] != 0)
        {
            Fail(StatusCode.Internal, "A message is flagged as compressed, but the call names no compression.");
        }
        else if (declared > (lengthMax ?? Framing.LengthMax))
        {
            Fail(StatusCode.ResourceExhausted, $"A message of {declared} bytes is over the receiver's limit of {lengthMax ?? Framing.LengthMax}.");
        }
        else
        {
            length = (int)declared;
        }

        return _failure is null;
    }

    private void Fail(StatusCode code, string detail) => _failure = Error(code, detail, null);

    private static RpcException Error(StatusCode code, string detail, Exception? cause) => new(new Status(code, detail, cause));

    private sealed class Payload : DeserializationContext
    {
        public ReadOnlySequence<byte> Bytes { get; set; }

        public override int PayloadLength => (int)Bytes.Length;

        public override byte[] PayloadAsNewBuffer() => Bytes.ToArray();

        public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => Bytes;
    }
}
