using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Xunit.Abstractions;

namespace Bft.Storage.Tests;

/// <summary>What is kept in memory of streams that nobody publishes in any more, and what the journal is asked for in its place.</summary>
[Collection(Name)]
public sealed class IdleStreamTests(ITestOutputHelper output) : IDisposable
{
    internal const string Name = "memory";
    private const int SegmentBytes = 1 << 22;

    private readonly TestCluster _cluster = new();
    private readonly TemporaryDirectory _directory = new(inMemory: true);

    public void Dispose()
    {
        _directory.Dispose();
        _cluster.Dispose();
    }

    [Fact]
    public void S2_an_idle_stream_takes_less_than_1600_bytes_of_memory()
    {
        const int Streams = 4096;
        using StoringWitness witness = Open(1);
        Fill(witness, 0, 2048); // more than the tips whose certificates are kept
        long before = GC.GetTotalMemory(forceFullCollection: true);
        Fill(witness, 2048, Streams);
        long each = (GC.GetTotalMemory(forceFullCollection: true) - before) / Streams;
        output.WriteLine($"{each} bytes");

        Assert.InRange(each, 400, 1600);
        Assert.Equal(2048 + Streams, witness.Role.StreamCount);
        GC.KeepAlive(witness);
    }

    [Fact]
    public void S2_the_tip_of_an_idle_stream_is_read_from_the_journal_also_after_a_restart()
    {
        using (StoringWitness witness = Open(1))
        {
            Fill(witness, 0, 1100);
            Check(witness, 1100);
            witness.Journal.Checkpoint(witness.Role);
            Check(witness, 1100);
        }

        using StoringWitness again = Open(2);
        Check(again, 1100);
    }

    private StoringWitness Open(ulong run) => new(_cluster, FileDisk.At(_directory["data"]), segmentBytes: SegmentBytes, run: run);

    private TestStream Stream(int number) => _cluster.Stream(topic: $"topic {number}");

    private void Fill(StoringWitness witness, int from, int count)
    {
        for (int first = from; first < from + count; first += 64)
        {
            VerifiedBatch[] batches = [.. Enumerable.Range(first, Math.Min(64, from + count - first)).Select(number => Stream(number).Append())];
            witness.OnBatch(batches);
            VerifiedCertificate[] certificates = [.. batches.Select(batch => _cluster.Certify(batch.Reference))];
            witness.Do((role, effects) => Array.ForEach(certificates, certificate => role.OnCertificate(certificate, [], effects)));
        }

        witness.Acks.Clear(); // the test's
    }

    private void Check(StoringWitness witness, int count)
    {
        for (int number = 0; number < count; number += 100)
        {
            TestStream stream = Stream(number);
            VerifiedBatch batch = stream.Append();
            StreamLog log = witness.Log(stream);
            Assert.Equal(batch.Reference, log.Tip);
            Assert.True(log.TryReadTip(out VerifiedCertificate? tip));
            Assert.Equal(batch.Reference, tip.Batch);
            Assert.Equal(CommitteeQuorum, tip.WitnessCount);
            Assert.True(log.TipStatement() is { } statement && statement.Bytes.Span.SequenceEqual(batch.Statement.Statement.Bytes.Span));
        }
    }

    private int CommitteeQuorum => _cluster.Size.Quorum;
}

/// <summary>Measures memory: nothing runs beside it.</summary>
[CollectionDefinition(IdleStreamTests.Name, DisableParallelization = true)]
public sealed class MemoryGroup;
