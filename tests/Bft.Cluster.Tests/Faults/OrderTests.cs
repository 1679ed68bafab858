using Bft.Cluster.Tests.Support;
using Bft.Crypto;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Cluster.Tests.Faults;

/// <summary>W1: write, then flush, then sign and send; seen from outside, in the system calls of a real witness.</summary>
/// <remarks>
/// TLS hides what is sent. So one batch at a time is under way, and the other witnesses are frozen: they are told, and say nothing. What then leaves in a large packet is an ack (a ping or a
/// heartbeat has half the size of the smallest); between a batch's arrival and it there must be a write to the journal, and a flush that began when the write was over.
/// </remarks>
public sealed class OrderTests : IAsyncLifetime
{
    private const int LargeBytes = 200;
    private const int SmallBatches = 40;
    private const int Megabytes = 75; // more than a segment holds
    private readonly string _trace = Path.GetTempFileName();
    private ProcessCluster _cluster = null!;

    public async Task InitializeAsync() => _cluster = await ProcessCluster.MadeAsync();

    public async Task DisposeAsync()
    {
        await _cluster.DisposeAsync();
        File.Delete(_trace);
    }

    [StraceFact]
    public async Task W1_no_ack_leaves_before_its_record_was_written_and_then_flushed()
    {
        _cluster.Launch(0, Strace.Before(_trace, "openat,pwrite64,pwritev,fdatasync,fsync,sendto,sendmsg,recvfrom,recvmsg"));
        await _cluster.StartAsync();
        await _cluster[0].SaysAsync("witness 0 acks:");
        await Task.WhenAll(_cluster[1].FreezeAsync(), _cluster[2].FreezeAsync(), _cluster[3].FreezeAsync());
        await PublishOneByOneAsync();
        await _cluster.KillAsync();

        IReadOnlyList<SystemCall> calls = await Strace.ReadAsync(_trace);
        int begin = calls.Single(call => call.Name == "SIGCONT").Began;
        SystemCall[] journal = [.. calls.Where(IsOnJournal)];
        AssertAcksFollowFlushes(calls, journal, begin);
        AssertNamesAreDurable(calls, journal);
    }

    private static bool IsOnJournal(SystemCall call) => call.Target.EndsWith(".journal", StringComparison.Ordinal) && (IsWrite(call) || IsFlush(call));

    private static bool IsWrite(SystemCall call) => call.Name.StartsWith("pwrite", StringComparison.Ordinal);

    private static bool IsFlush(SystemCall call) => call is { Name: "fdatasync" or "fsync", Result: 0 };

    private static bool IsSend(SystemCall call) => call.Name.StartsWith("send", StringComparison.Ordinal) && IsLarge(call);

    private static bool IsArrival(SystemCall call) => call.Name.StartsWith("recv", StringComparison.Ordinal) && IsLarge(call);

    private static bool IsLarge(SystemCall call) => call.Result >= LargeBytes && call.Target.StartsWith("TCP", StringComparison.Ordinal);

    /// <summary>Flushes that cover a write, both after one line of the trace and before another.</summary>
    private static int Commits(SystemCall[] journal, int after, int before)
    {
        SystemCall[] between = [.. journal.Where(call => call.Began > after && call.Ended < before)];
        return between.Count(flush => IsFlush(flush) && between.LastOrDefault(call => call.Target == flush.Target && call.Ended < flush.Began) is { } last && IsWrite(last));
    }

    private static void AssertAcksFollowFlushes(IReadOnlyList<SystemCall> calls, SystemCall[] journal, int begin)
    {
        string publisher = calls.Where(call => call.Began > begin && IsArrival(call)).CountBy(call => call.Target).MaxBy(socket => socket.Value).Key;
        SystemCall? arrival = null;
        int acks = 0;
        foreach (SystemCall call in calls.Where(call => call.Began > begin && call.Target == publisher))
        {
            arrival = IsArrival(call) ? call : arrival;
            if (IsSend(call))
            {
                acks++;
                Assert.NotNull(arrival);
                Assert.True(Commits(journal, arrival.Ended, call.Began) > 0, $"Line {call.Began + 1} sends an ack; since the batch came on line {arrival.Ended + 1} nothing was written and flushed.");
            }
        }

        Assert.InRange(acks, SmallBatches + Megabytes, int.MaxValue);

        // The first ack to each of the others. (Later ones cannot be told from old ones that are told again, W8.)
        string[] peers = [.. calls.Where(call => call.Began < begin && IsSend(call) && call.Target != publisher).Select(call => call.Target).Distinct()];
        SystemCall[] told = [.. peers.Select(peer => calls.FirstOrDefault(call => call.Began > begin && call.Target == peer && IsSend(call))).OfType<SystemCall>()];
        Assert.InRange(told.Length, ProcessCluster.Count - 1, int.MaxValue);
        Assert.All(told, call => Assert.True(Commits(journal, begin, call.Began) > 0, $"Line {call.Began + 1} tells a peer of an ack whose record is not flushed."));
    }

    /// <summary>A segment's name is durable, by a flush of its directory, before anything rests on what stands in it.</summary>
    private static void AssertNamesAreDurable(IReadOnlyList<SystemCall> calls, SystemCall[] journal)
    {
        SystemCall[] created = [.. calls.Where(call => call.Name == "openat" && call.Result >= 0 && call.Arguments.Contains(".journal", StringComparison.Ordinal) && call.Arguments.Contains("O_CREAT", StringComparison.Ordinal))];
        Assert.InRange(created.Length, 2, int.MaxValue);
        foreach (SystemCall creation in created)
        {
            string path = creation.Arguments.Split('"')[1];
            SystemCall named = calls.First(call => call.Began > creation.Ended && IsFlush(call) && call.Target == Path.GetDirectoryName(path));
            SystemCall[] records = [.. journal.Where(call => call.Began > creation.Ended && call.Target == path && IsWrite(call)).Skip(1)]; // its head goes first
            Assert.All(records.Take(1), record => Assert.True(named.Ended < record.Began, $"Line {record.Began + 1} writes records to {path} whose name is flushed on line {named.Ended + 1}."));
        }
    }

    private async Task PublishOneByOneAsync()
    {
        using Ed25519Signer signer = _cluster.SignerOf("publisher");
        using RawClient client = new(_cluster, 0);
        using RawCall<IPublishRequest, IPublishReply> call = await client.PublishAsync();
        await _cluster[0].ThawAsync(); // for the trace: from here on
        await PublishAsync(SmallBatches, 100);
        for (int megabytes = 0; megabytes < Megabytes; megabytes += 25)
        {
            await PublishAsync(25, 1024 * 1024);
        }

        async Task PublishAsync(int count, int bytes)
        {
            Chain chain = new(_cluster.File.Committee.Cluster, signer, ProcessCluster.NewTopic());
            Ancestor ancestor = Ancestor.None;
            for (int sequence = 0; sequence < count; sequence++)
            {
                SignedBatch batch = chain.Batch((ulong)sequence, ancestor, new byte[bytes]);
                ancestor = Ancestor.Previous(Sha256.Hash(batch.Statement.Span));
                await call.WriteAsync(new BatchFrame(batch));
                await call.NextAsync<AcksFrame>();
            }
        }
    }
}
