using System.Buffers.Binary;

namespace Bft.Storage;

/// <summary>Tells one journal directory's files from every other's. Random, and never shown to anybody: whoever knew it could write blocks into a body.</summary>
public readonly record struct JournalId(UInt128 Value)
{
    public const int Bytes = 16;

    /// <param name="random"><see cref="Bytes"/> random bytes.</param>
    public static JournalId FromRandom(ReadOnlySpan<byte> random) => new(BinaryPrimitives.ReadUInt128LittleEndian(random));
}
