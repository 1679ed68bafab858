using BenchmarkDotNet.Attributes;
using Bft.Storage;

namespace Bft.MicroBench;

/// <summary>One group commit on a real disk, flush and all. It drops its older segments, so that it stays below 200 MiB.</summary>
public class JournalBenchmarks : IJournalReplay
{
    private readonly byte[] _head = new byte[300];
    private readonly byte[] _body = new byte[256 * 1024];
    private DirectoryInfo _folder = null!;
    private Journal _journal = null!;

    [GlobalSetup]
    public void Setup()
    {
        _folder = Directory.CreateTempSubdirectory("bft-microbench-");
        _journal = Journal.Open(FileDisk.At(_folder.FullName), new JournalOptions { NewId = new JournalId(1) }, this);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _journal.Dispose();
        _folder.Delete(recursive: true);
    }

    [Benchmark(Description = "journal commit of a head and 256 KiB")]
    public ulong CommitBody() => Commit(_body);

    [Benchmark(Description = "journal commit of a head alone")]
    public ulong CommitHead() => Commit(default);

    void IJournalReplay.OnRecord(ulong mark, byte kind, ReadOnlySpan<byte> head, JournalPosition body)
    {
    }

    private ulong Commit(ReadOnlyMemory<byte> body)
    {
        _journal.Append(1, _head, body);
        JournalCommit commit = _journal.Seal()!;
        commit.Perform();
        _journal.OnDurable(commit);
        if (_journal.Segments is { Count: > 2 } segments)
        {
            _journal.DropSegmentsBefore(segments[^1].Segment);
        }

        return commit.Mark;
    }
}
