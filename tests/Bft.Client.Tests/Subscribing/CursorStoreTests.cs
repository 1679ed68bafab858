using Bft.Client.Tests.Support;
using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Storage;

namespace Bft.Client.Tests.Subscribing;

public sealed class CursorStoreTests : IDisposable
{
    private const int SegmentBytes = 64 * 1024;
    private static readonly StreamId Stream = new(Sha256.Hash("a stream"u8));
    private readonly TemporaryFolder _data = new();

    public CursorStoreTests() => Directory.CreateDirectory(_data.Path);

    public void Dispose() => _data.Dispose();

    [Fact]
    public void R3_a_commit_that_comes_late_takes_nothing_back()
    {
        using (CursorStore store = Open())
        {
            store.Commit(Stream, At(5));
            store.Commit(Stream, At(4));
            Assert.Equal(At(5), store.Cursor.PositionOf(Stream));
            store.Commit(Stream, new CursorPosition(new Sequence(5), MessagesTaken: 2));
            store.Commit(Stream, new CursorPosition(new Sequence(5), MessagesTaken: 1));
        }

        using CursorStore after = Open();
        Assert.Equal((new Sequence(5), 2), (after.Cursor.PositionOf(Stream).Next, after.Cursor.PositionOf(Stream).MessagesTaken));
    }

    private static CursorPosition At(ulong sequence) => new(new Sequence(sequence), Sha256.Hash([(byte)sequence]));

    private CursorStore Open() => CursorStore.Open(FileDisk.At(_data.Path), new JournalId(7), new Topic("t"), SegmentBytes);
}
