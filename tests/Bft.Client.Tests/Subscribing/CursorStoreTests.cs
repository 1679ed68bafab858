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

    [Theory]
    [InlineData(1, 200)]
    [InlineData(40, 5)]
    public void R3_a_cursor_stays_short_in_one_long_run_and_in_many_short_ones(int runs, int commits)
    {
        ulong sequence = 0;
        StreamId idle = new(Sha256.Hash("idle"u8));
        for (int run = 0; run < runs; run++)
        {
            using CursorStore store = Open();
            if (store.IsNew)
            {
                store.Lease(idle, new Sequence(7));
            }

            for (int i = 0; i < commits; i++)
            {
                store.Commit(Stream, At(++sequence));
            }

            store.Close(new Dictionary<StreamId, Sequence>());
        }

        Assert.InRange(Directory.EnumerateFiles(_data.Path).Sum(file => new FileInfo(file).Length), 1, 3 * SegmentBytes);
        using CursorStore last = Open();
        Assert.Equal(At(sequence), last.Cursor.PositionOf(Stream));
        Assert.True(last.MayBeRepeat(idle, new Sequence(7)));
    }

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
