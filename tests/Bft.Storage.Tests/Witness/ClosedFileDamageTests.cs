using System.Globalization;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Xunit.Abstractions;

namespace Bft.Storage.Tests;

/// <summary>Damage to the files of a witness that is not running: recovered, or refused with the reason; never other bytes, never a forgotten ack, never another exception.</summary>
/// <remarks>A sample by default. All of it, some minutes: <c>BFT_DAMAGE=100000 dotnet test --filter ClosedFileDamage</c>, the number being that of the flips.</remarks>
public sealed class ClosedFileDamageTests(ITestOutputHelper output) : IDisposable
{
    private const int SampledFlips = 1000;
    private const int SampledCuts = 250;

    private static readonly int Flips = int.Parse(Environment.GetEnvironmentVariable("BFT_DAMAGE") ?? "0", CultureInfo.InvariantCulture);

    private readonly TestCluster _cluster = new();

    public void Dispose() => _cluster.Dispose();

    [Theory]
    [InlineData(false, 4096)]
    [InlineData(true, 4096)]
    [InlineData(false, 32768)]
    public void W9_a_flipped_bit_anywhere_is_recovered_or_refused(bool withRetention, int segmentBytes)
    {
        using ClosedFiles files = Closed(withRetention, segmentBytes);
        ClosedFiles.Verdict whole = files.Open();
        Assert.Null(whole.Damage);
        Assert.Equal(0, whole.Refused);
        (int same, int scanned, int foundByReading, int refused) = (0, 0, 0, 0);
        Random lot = new(withRetention ? 2 : 1);
        string[] names = [.. files.Files.Keys];
        string[] copies = [.. names.Where(name => IsCheckpoint(files.Files[name])).TakeLast(2)];
        int flips = (Math.Max(SampledFlips, Flips) + 2) / 3;
        for (int flip = 0; flip < flips; flip++)
        {
            // One flip alone never takes both copies of the checkpoint.
            (string Name, byte[] Bytes)[] flipped = [.. (flip % 5 == 0 ? copies : [names[lot.Next(names.Length)]]).Select(name => (name, Flipped(files.Files[name], lot)))];

            ClosedFiles.Verdict verdict = files.Open(flipped);

            if (verdict.Damage is { } damage)
            {
                Assert.Contains(damage.File, damage.Message, StringComparison.Ordinal);
                Assert.NotEmpty(damage.Reason);
                refused++;
                continue;
            }

            Assert.True(verdict.State == whole.State, $"{string.Join(", ", flipped.Select(file => file.Name))}, flip {flip}: the witness woke up as another.\n{verdict.State}\n--- instead of\n{whole.State}");
            same += verdict.Refused == 0 ? 1 : 0;
            scanned += verdict.WasScanned ? 1 : 0;
            foundByReading += verdict.Refused > 0 ? 1 : 0;
        }

        output.WriteLine($"{flips} flips, each fifth a pair in both copies of the checkpoint, in {names.Length} files: {same} without consequence ({scanned} by replaying everything), {foundByReading} found by reading, {refused} refused at the start");
        Assert.True(same > 0 && foundByReading > 0 && refused > 0);
        Assert.Equal(withRetention, scanned == 0);
    }

    [Fact]
    public void W9_a_cut_at_any_byte_of_the_last_three_commits_leaves_what_some_commit_left()
    {
        TestStream stream = _cluster.Stream();
        using ClosedFiles files = new(_cluster, 1 << 20, [stream], disk =>
        {
            using StoringWitness witness = new(_cluster, disk, segmentBytes: 1 << 20);
            for (int i = 0; i < 4; i++)
            {
                Store(witness, stream, 1000);
            }

            for (int i = 0; i < 3; i++)
            {
                witness.OnBatch(stream.Append(new string('x', 1400)));
            }
        });
        string name = files.Files.Keys.Last();
        byte[] bytes = files.Files[name];
        (int From, ulong Mark)[] commits = [.. CommitsOf(bytes).TakeLast(3)];
        Dictionary<ulong, string> states = [];
        foreach (int end in commits.Select(commit => commit.From).Append(bytes.Length))
        {
            ClosedFiles.Verdict verdict = files.Open((name, bytes[..end]));
            states.Add(verdict.Mark, verdict.State);
        }

        Assert.Equal(4, states.Values.Distinct().Count());
        int step = Flips > 0 ? 1 : Math.Max(1, (bytes.Length - commits[0].From) / SampledCuts);
        int cuts = 0;
        for (int length = commits[0].From; length <= bytes.Length; length += step, cuts++)
        {
            ClosedFiles.Verdict verdict = files.Open((name, bytes[..length]));

            Assert.Null(verdict.Damage);
            Assert.Equal(0, verdict.Refused);
            Assert.True(states.TryGetValue(verdict.Mark, out string? expected) && expected == verdict.State, $"Cut at {length}: mark {verdict.Mark}\n{verdict.State}");

            // What is whole is there: a cut takes its own commit and those behind it.
            Assert.Equal(commits.Count(commit => EndOf(bytes, commit.From) <= length), (int)(verdict.Mark + 1 - commits[0].Mark));
        }

        output.WriteLine($"{cuts} cuts: each left what the last whole commit had left");
        Assert.True(cuts >= SampledCuts && (Flips == 0 || cuts >= 3000));
    }

    private ClosedFiles Closed(bool withRetention, int segmentBytes)
    {
        TestStream first = _cluster.Stream();
        TestStream second = _cluster.Stream(publisher: 1);
        RetentionPolicy? policy = withRetention ? new RetentionPolicy { Bytes = 4000, HistoryAge = TimeSpan.FromSeconds(20) } : null;
        return new ClosedFiles(_cluster, segmentBytes, [first, second], disk =>
        {
            using StoringWitness witness = new(_cluster, disk, policy, segmentBytes);
            for (int i = 0; i < 10; i++)
            {
                Store(witness, first, 900);
                Store(witness, second, 100);
                witness.Pass(2000);
            }

            // Two signed originals in one slot, an ack above the tip, and a stop as a process stops.
            VerifiedBatch acked = first.Append("acked");
            witness.OnBatch(acked);
            witness.OnBatch(second.Append("acked too"), second.Batch((ulong)second.Batches.Count - 1, Ancestor.Previous(second[second.Batches.Count - 2].Digest), "another"));
            JournalCommit proof = witness.Journal.Journal.SealProof()!;
            proof.Perform();
            witness.Journal.OnDurable(proof);
            Assert.True(witness.Checkpoints > 0);
        });
    }

    private void Store(StoringWitness witness, TestStream stream, int bytes)
    {
        witness.OnBatch(stream.Append(new string('x', bytes)));
        witness.Do((role, effects) => role.OnCertificate(_cluster.Certify(stream.Batches[^1].Reference, null, 1, 2, 3), [], effects));
        witness.Pass(1);
    }

    private static byte[] Flipped(byte[] bytes, Random lot)
    {
        byte[] flipped = [.. bytes];
        flipped[Used(bytes, lot.Next(bytes.Length))] ^= (byte)(1 << lot.Next(8));
        return flipped;
    }

    private static bool IsCheckpoint(byte[] bytes)
    {
        SimulatedDisk disk = new();
        disk["file"] = bytes;
        BlockHeader header = BlockHeader.Parse(bytes, "", out _)!.Value;
        BlockCursor cursor = new(disk.Open("file"), header.Segment);
        return cursor.TryAdvance() && cursor.Twin is not null;
    }

    /// <summary>The first byte from here on, or else before, that is not padding.</summary>
    private static int Used(byte[] bytes, int from)
    {
        int behind = bytes.AsSpan(from).IndexOfAnyExcept((byte)0);
        return behind >= 0 ? from + behind : bytes.AsSpan(0, from).LastIndexOfAnyExcept((byte)0);
    }

    private static IEnumerable<(int From, ulong Mark)> CommitsOf(byte[] bytes)
    {
        for (int from = 0; from < bytes.Length; from = (int)BlockHeader.Aligned(EndOf(bytes, from)))
        {
            yield return (from, BlockHeader.Parse(bytes.AsSpan(from), "", out _)!.Value.Mark);
        }
    }

    private static int EndOf(byte[] bytes, int from) => from + (int)BlockHeader.Parse(bytes.AsSpan(from), "", out _)!.Value.TotalBytes;
}
