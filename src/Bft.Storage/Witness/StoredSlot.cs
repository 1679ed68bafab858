namespace Bft.Storage;

/// <summary>Where a batch lies: signature ‖ statement, and right behind them the body. 20 bytes, one per slot for as long as the slot is kept.</summary>
/// <remarks>The first part's length is not here: it is the same in all slots of a stream, whose statements differ in numbers only.</remarks>
internal readonly record struct StoredSlot(int Segment, uint Offset, uint StatementChecksum, int BodyLength, uint BodyChecksum)
{
    public static StoredSlot At(JournalPosition statement, JournalPosition body) => body.Segment == statement.Segment && body.Offset == statement.Offset + statement.Length
        ? new StoredSlot(checked((int)statement.Segment), checked((uint)statement.Offset), statement.Checksum, body.Length, body.Checksum)
        : throw new InvalidOperationException("A body lies right behind its statement.");

    public JournalPosition Statement(int length) => new(Segment, Offset, length, StatementChecksum);

    public JournalPosition Body(int statementLength) => new(Segment, (long)Offset + statementLength, BodyLength, BodyChecksum);
}

/// <summary>A certificate that is kept, when it was stored, and where its bytes lie.</summary>
/// <param name="Top">The slot of its batch.</param>
/// <param name="StoredAt">By the journal's steady clock. Unit: milliseconds.</param>
/// <param name="Position">Its bytes.</param>
internal readonly record struct StoredCertificate(ulong Top, long StoredAt, JournalPosition Position);
