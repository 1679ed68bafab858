using System.Globalization;
using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Bft.Storage;

namespace Bft.Client.Tests;

/// <summary>Damage to the files of a client that is not running: it goes on as it was, begins anew, or says what is wrong; never with other bytes.</summary>
/// <remarks>A sample by default; <c>BFT_DAMAGE=100000</c> says how many flips.</remarks>
public sealed class ClosedFileTests : IDisposable
{
    private const int SampledFlips = 600;
    private const int SegmentBytes = 8192;

    private static readonly int Flips = Math.Max(SampledFlips, int.Parse(Environment.GetEnvironmentVariable("BFT_DAMAGE") ?? "0", CultureInfo.InvariantCulture));

    private readonly TestCluster _cluster = new();
    private readonly string _folder = Directory.CreateDirectory(Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"bft-{Path.GetRandomFileName()}")).FullName;
    private readonly Random _lot = new(1);

    public void Dispose()
    {
        _cluster.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void P2_a_publishers_journal_goes_on_exactly_or_not_at_all()
    {
        TestStream stream = _cluster.Stream();
        using (PublisherJournal journal = OpenJournal())
        {
            journal.Append(stream.Header.Incarnation);
            List<VerifiedBatch> uncovered = [];
            VerifiedCertificate? covered = null;
            for (int i = 0; i < 12; i++)
            {
                uncovered.Add(Owned(stream.Append(new string('x', 700))));
                journal.Append(uncovered[^1]);
                if (i < 9)
                {
                    covered = _cluster.Certify(uncovered[^1].Reference);
                    journal.Append(covered);
                    uncovered.Clear();
                }

                while (journal.Seal(stream.Header.Incarnation, covered, uncovered) is { } commit)
                {
                    commit.Perform();
                    journal.OnDurable(commit);
                }
            }

            journal.Flush();
        }

        SortedDictionary<string, byte[]> files = ReadFiles();
        string whole = StateOf(stream)!;
        Assert.Contains(stream[11].Reference.ToString(), whole, StringComparison.Ordinal);
        (int same, int anew, int refused) = (0, 0, 0);
        for (int flip = 0; flip < Flips; flip++)
        {
            string name = Flip(files);
            try
            {
                string? state = StateOf(stream);
                Assert.True(state is null || state == whole, $"{name}, flip {flip}: {state}");
                same += state is null ? 0 : 1;
                anew += state is null ? 1 : 0;
            }
            catch (JournalDamageException)
            {
                refused++;
            }
        }

        Assert.True(same > 0 && anew > 0 && refused > 0, $"{same} the same, {anew} anew, {refused} refused");
    }

    [Fact]
    public void R3_a_cursor_is_where_it_was_or_is_refused()
    {
        StreamId[] streams = [.. Enumerable.Range(0, 3).Select(i => new StreamId(Sha256.Hash([(byte)i])))];
        using (CursorStore store = OpenCursor())
        {
            for (ulong i = 1; i <= 12; i++)
            {
                store.Lease(streams[i % 3], new Sequence(i));
                store.Commit(streams[i % 3], new CursorPosition(new Sequence(i), Sha256.Hash([(byte)i])));
            }

            store.Close(streams.ToDictionary(stream => stream, _ => new Sequence(13)));
        }

        SortedDictionary<string, byte[]> files = ReadFiles();
        string whole = CursorState(streams);
        (int same, int refused) = (0, 0);
        for (int flip = 0; flip < Flips; flip++)
        {
            string name = Flip(files);
            try
            {
                string state = CursorState(streams);
                Assert.True(state == whole, $"{name}, flip {flip}: {state} instead of {whole}");
                same++;
            }
            catch (JournalDamageException)
            {
                refused++;
            }
        }

        Assert.True(same > 0 && refused > same);
    }

    private PublisherJournal OpenJournal() => PublisherJournal.Open(FileDisk.At(_folder), new JournalId(7), 4 * SegmentBytes);

    private CursorStore OpenCursor() => CursorStore.Open(FileDisk.At(_folder), new JournalId(7), new Topic("t"), SegmentBytes);

    /// <summary>Null when a new incarnation would begin.</summary>
    private string? StateOf(TestStream stream)
    {
        using PublisherJournal journal = OpenJournal();
        if (journal.Found.IsAbandoned || journal.Found.Incarnation is null)
        {
            return null;
        }

        Assert.Equal(stream.Header.Incarnation, journal.Found.Incarnation);
        return journal.Found.TryRestore(journal, stream.Header, _cluster.Batches, _cluster.Acks) is not { } restored ? null
            : $"{restored.Covered?.Batch} {string.Join(' ', restored.Uncovered.Select(batch => $"{batch.Reference} {Sha256.Hash(batch.Body.Span)}"))}";
    }

    private string CursorState(StreamId[] streams)
    {
        using CursorStore store = OpenCursor();
        return string.Join(' ', streams.Select(stream => $"{store.Cursor.PositionOf(stream)} {store.MayBeRepeat(stream, new Sequence(12))} {store.MayBeRepeat(stream, new Sequence(13))}"));
    }

    private VerifiedBatch Owned(VerifiedBatch batch)
    {
        SharedBody body = SharedBody.Rent(batch.Body.Length);
        batch.Body.CopyTo(body.Memory);
        return _cluster.Batches.TryVerifyBody(batch.Statement, body.Memory, body, out VerifiedBatch? owned, out _) ? owned : throw new InvalidOperationException("Not its body.");
    }

    private SortedDictionary<string, byte[]> ReadFiles() =>
        new(Directory.EnumerateFiles(_folder).ToDictionary(path => path, File.ReadAllBytes), StringComparer.Ordinal);

    /// <summary>Puts all files back, one bit flipped in one of them, of something that is no padding.</summary>
    private string Flip(SortedDictionary<string, byte[]> files)
    {
        foreach (string path in Directory.EnumerateFiles(_folder))
        {
            File.Delete(path);
        }

        string name = files.Keys.ElementAt(_lot.Next(files.Count));
        foreach ((string path, byte[] bytes) in files)
        {
            byte[] copy = [.. bytes];
            if (path == name)
            {
                int from = _lot.Next(copy.Length);
                int used = copy.AsSpan(from).IndexOfAnyExcept((byte)0);
                copy[used >= 0 ? from + used : copy.AsSpan(0, from).LastIndexOfAnyExcept((byte)0)] ^= (byte)(1 << _lot.Next(8));
            }

            File.WriteAllBytes(path, copy);
        }

        return Path.GetFileName(name);
    }
}
