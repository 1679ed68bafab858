using System.Buffers.Binary;

namespace Bft.Bench.Load;

/// <summary>The messages of a run: the same for the same seed and size, each different, and known again by the receiver.</summary>
/// <remarks>A message is its number and then bytes from a pool of random ones, so that making and checking cost a copy and a comparison, not a generator's time.</remarks>
internal sealed class Payloads
{
    /// <summary>The smallest message: its number.</summary>
    public const int SizeMin = sizeof(long);

    private const int PoolBytes = 1 << 20;
    private const int Stride = 4099; // a prime, so that neighbours begin far apart and all of the pool is used

    private readonly byte[] _pool;

    /// <param name="seed">Chooses all bytes but the numbers.</param>
    /// <param name="size">Of a message, from <see cref="SizeMin"/>. Unit: bytes.</param>
    public Payloads(int seed, int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, SizeMin);
        Size = size;
        _pool = new byte[PoolBytes + size];
#pragma warning disable CA5394 // Input of a measurement, not a secret.
        new Random(seed).NextBytes(_pool);
#pragma warning restore CA5394
    }

    public int Size { get; }

    /// <summary>Makes a message.</summary>
    /// <param name="number">From 0.</param>
    /// <param name="buffer"><see cref="Size"/> bytes.</param>
    public void Write(long number, Span<byte> buffer)
    {
        BinaryPrimitives.WriteInt64LittleEndian(buffer, number);
        Rest(number).CopyTo(buffer[SizeMin..]);
    }

    /// <summary>The number that a message begins with; −1 when it is too short for one.</summary>
    public static long NumberOf(ReadOnlySpan<byte> payload) => payload.Length < SizeMin ? -1 : BinaryPrimitives.ReadInt64LittleEndian(payload);

    /// <summary>Whether these are the bytes of the message that they say they are.</summary>
    public bool IsWhole(ReadOnlySpan<byte> payload) => payload.Length == Size && payload[SizeMin..].SequenceEqual(Rest(NumberOf(payload)));

    private ReadOnlySpan<byte> Rest(long number) => _pool.AsSpan((int)((ulong)number * Stride % PoolBytes), Size - SizeMin);
}
