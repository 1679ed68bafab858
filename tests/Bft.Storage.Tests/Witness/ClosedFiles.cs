using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Roles;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Storage.Tests;

/// <summary>The files of a witness that is not running, in memory; each try puts them into a directory of the real disk, damages one, and opens it as a start does.</summary>
internal sealed class ClosedFiles : IDisposable
{
    private static readonly WitnessIndex Self = new(0);

    private readonly TestCluster _cluster;
    private readonly TemporaryDirectory _directory = new(inMemory: true);
    private readonly SortedDictionary<string, byte[]> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<StreamId, TestStream> _streams;
    private readonly int _segmentBytes;

    public ClosedFiles(TestCluster cluster, int segmentBytes, IEnumerable<TestStream> streams, Action<FileDisk> fill)
    {
        _cluster = cluster;
        _segmentBytes = segmentBytes;
        fill(FileDisk.At(_directory["data"]));
        _streams = streams.ToDictionary(stream => stream.Id);
        foreach (string path in Directory.EnumerateFiles(_directory["data"]))
        {
            _files.Add(Path.GetFileName(path), File.ReadAllBytes(path));
        }
    }

    public IReadOnlyDictionary<string, byte[]> Files => _files;

    public void Dispose() => _directory.Dispose();

    /// <summary>Opens the files with some changed, and reads everything back.</summary>
    /// <param name="changed">Name and bytes.</param>
    public Verdict Open(params (string Name, byte[] Bytes)[] changed)
    {
        // What opening rewrites is the same from try to try, so the whole directory is made anew.
        foreach (string path in Directory.EnumerateFiles(_directory["data"]))
        {
            File.Delete(path);
        }

        foreach ((string name, byte[] bytes) in _files)
        {
            File.WriteAllBytes(Path.Combine(_directory["data"], name), changed.FirstOrDefault(change => change.Name == name).Bytes ?? bytes);
        }

        BatchStore store = new(pageRows: 2);
        WitnessRole role = new(_cluster.Committee, Self, _cluster.SignerOf(Self), NodeLimits.Default);
        JournalOptions options = new() { NewId = new JournalId(7), SegmentBytes = _segmentBytes };
        try
        {
            using WitnessJournal journal = WitnessJournal.Open(FileDisk.At(_directory["data"]), options, _cluster.Committee, Self, Ed25519.Instance, role, store);
            return new Verdict(null, journal.Journal.DurableMark, StateOf(role, store), ReadBack(store), journal.Journal.WasScanned);
        }
        catch (JournalDamageException damage)
        {
            return new Verdict(damage, 0, "", 0, false);
        }
    }

    /// <summary>All that a start must know: what it stores, what it acked, what it remembers.</summary>
    private static string StateOf(WitnessRole role, BatchStore store)
    {
        List<string> lines = [];
        foreach (StreamLog log in store.Streams)
        {
            lines.Add($"{log.Header.Id} {log.FirstKept} {log.Floor} {log.End} {log.Tip?.Digest} {log.RecordedTip?.Digest}");
            lines.AddRange(log.Candidates().Select(candidate => $"{candidate.Statement.Reference} acked from {candidate.AckBase}"));
        }

        lines.AddRange(role.Remembered().Select(record => record switch
        {
            RunRecord run => Convert.ToHexString(WitnessRecords.Run(run)),
            RetiredRecord retired => Convert.ToHexString(WitnessRecords.Header(retired.Header)),
            IncarnationsRecord incarnations => Convert.ToHexString(CheckpointRecords.Incarnations(incarnations)),
            PeerRootRecord root => Convert.ToHexString(root.Bundle.Encode()),
            _ => $"{record}",
        }));
        lines.AddRange(role.Evidence.Select(evidence => $"{evidence}"));
        lines.Add($"{role.HasLostMemory}");
        return string.Join('\n', lines);
    }

    /// <summary>Reads all that is kept; returns how much of it is refused. Other bytes than those that were stored fail the test.</summary>
    private int ReadBack(BatchStore store)
    {
        int refused = 0;
        foreach (StreamLog log in store.Streams)
        {
            TestStream stream = _streams[log.Header.Id];
            for (Sequence sequence = log.FirstKept; sequence < log.End; sequence = sequence.Following)
            {
                VerifiedBatch batch = stream[(int)sequence.Value];
                refused += IsRefused(() => Assert.True(log.ReadStatement(sequence).Bytes.Span.SequenceEqual(batch.Statement.Statement.Bytes.Span)));
                refused += IsRefused(() =>
                {
                    StoredRange range = log.RangeFrom(sequence)!.Value;
                    Assert.True(QuorumCertificate.TryParse(log.ReadCertificate(range).Span, out QuorumCertificate? certificate));
                    Assert.True(_cluster.Acks.TryVerifyCertificate(certificate.Bytes.Span, out _, out _));
                    Assert.Equal(stream[(int)range.To.Value].Reference, certificate.Batch);
                });
                refused += IsRefused(() =>
                {
                    if (sequence >= log.Floor)
                    {
                        byte[] body = new byte[log.BodyLength(sequence)];
                        log.ReadBody(sequence, body);
                        Assert.True(body.AsSpan().SequenceEqual(batch.Body.Span));
                    }
                });
            }
        }

        return refused;
    }

    private static int IsRefused(Action read)
    {
        try
        {
            read();
            return 0;
        }
        catch (StoreDamageException)
        {
            return 1;
        }
    }

    /// <summary>What a start came to.</summary>
    /// <param name="Damage">It was refused; null when it was not.</param>
    /// <param name="Mark">The last commit found.</param>
    /// <param name="State">All that is remembered.</param>
    /// <param name="Refused">Reads refused.</param>
    /// <param name="WasScanned">From the first commit on.</param>
    internal sealed record Verdict(JournalDamageException? Damage, ulong Mark, string State, int Refused, bool WasScanned);
}
