using System.Buffers;
using Bft.Crypto;
using Bft.Wire;
using Grpc.Core;

namespace Bft.Bench.Floors;

/// <summary>Bytes that cross between processes by gRPC, and are hashed where they arrive.</summary>
internal sealed class Piece(ReadOnlyMemory<byte> bytes, IDisposable? owner = null)
{
    private int _uses = 1;

    public static Marshaller<Piece> Marshaller { get; } = new(Serialize, Deserialize);

    public ReadOnlyMemory<byte> Bytes => bytes;

    /// <summary>So many more will release it.</summary>
    public void Share(int uses) => Interlocked.Add(ref _uses, uses);

    /// <summary>Gives the memory back when everybody has.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _uses) == 0)
        {
            owner?.Dispose();
        }
    }

    private static void Serialize(Piece piece, SerializationContext context)
    {
        context.SetPayloadLength(piece.Bytes.Length);
        context.GetBufferWriter().Write(piece.Bytes.Span);
        context.Complete();
    }

    private static Piece Deserialize(DeserializationContext context)
    {
        PooledBuffer buffer = PooledBuffer.CopyOf(context.PayloadAsReadOnlySequence());
        Sha256.Hash(buffer.Memory.Span);
        return new Piece(buffer.Memory, buffer);
    }
}
