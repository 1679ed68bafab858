using System.Buffers.Binary;

namespace Bft.Storage.Tests;

/// <summary>Keeps what a journal replays.</summary>
internal sealed class ReplayedRecords : IJournalReplay
{
    private readonly List<Record> _records = [];

    public IReadOnlyList<Record> All => _records;

    /// <value>The numbers that <see cref="JournalExtensions.AppendNumbered"/> gave, in order.</value>
    public IReadOnlyList<int> Numbers => [.. _records.Select(record => BinaryPrimitives.ReadInt32LittleEndian(record.Head))];

    public void OnRecord(ulong mark, byte kind, ReadOnlySpan<byte> head, JournalPosition body) =>
        _records.Add(new Record(mark, kind, head.ToArray(), body));

    internal sealed record Record(ulong Mark, byte Kind, byte[] Head, JournalPosition Body);
}
