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

    [Fact]
    public void R3_whenever_an_old_segment_goes_what_counts_is_durable_elsewhere_and_few_are_begun()
    {
        StreamId leased = new(Sha256.Hash("leased"u8));
        string after = Path.Combine(_data.Path, "after");
        ulong committed = 0;
        int dropped = 0;
        string run = Directory.CreateDirectory(Path.Combine(_data.Path, "run")).FullName;
        using (CursorStore store = CursorStore.Open(new WatchedDisk(FileDisk.At(run), Check), new JournalId(7), new Topic("t"), SegmentBytes))
        {
            store.Lease(leased, Sequence.Zero);
            while (committed < 200)
            {
                store.Commit(Stream, At(committed + 1));
                committed++;
            }
        }

        Assert.InRange(dropped, 2, 40); // about one for each 64 KiB of 200 blocks of 4 KiB

        void Check()
        {
            // As if the power went now.
            Directory.CreateDirectory(after);
            foreach (string file in Directory.EnumerateFiles(run))
            {
                File.Copy(file, Path.Combine(after, Path.GetFileName(file)));
            }

            using (CursorStore found = CursorStore.Open(FileDisk.At(after), new JournalId(7), new Topic("t"), SegmentBytes))
            {
                Assert.InRange(found.Cursor.PositionOf(Stream).Next.Value, committed, committed + 1);
                Assert.True(found.MayBeRepeat(leased, Sequence.Zero));
            }

            Directory.Delete(after, recursive: true);
            dropped++;
        }
    }

    private static CursorPosition At(ulong sequence) => new(new Sequence(sequence), Sha256.Hash([(byte)sequence]));

    private CursorStore Open() => CursorStore.Open(FileDisk.At(_data.Path), new JournalId(7), new Topic("t"), SegmentBytes);

    /// <summary>A directory that says when a file of it is gone.</summary>
    private sealed class WatchedDisk(IDisk disk, Action deleted) : IDisk
    {
        public IReadOnlyList<string> List() => disk.List();

        public IDiskFile Open(string name) => disk.Open(name);

        public IDiskFile Create(string name, long preallocatedBytes = 0) => disk.Create(name, preallocatedBytes);

        public void Delete(string name)
        {
            disk.Delete(name);
            deleted();
        }

        public void Rename(string from, string to) => disk.Rename(from, to);

        public void FlushDirectory() => disk.FlushDirectory();
    }
}
