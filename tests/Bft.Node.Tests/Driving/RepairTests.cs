using System.Diagnostics;
using System.Text;
using Bft.Node.Tests.Support;
using Bft.Protocol.Model;
using Bft.Wire.Frames;

namespace Bft.Node.Tests.Driving;

/// <summary>Files of a running witness are damaged by hand; what was certified comes back from its peers.</summary>
public sealed class RepairTests
{
    private const int Batches = 12;

    [Fact]
    public async Task W8_the_scrub_finds_damage_and_peers_repair_it_and_it_is_served_again_after_a_restart_too()
    {
        await using LocalCluster cluster = new();
        using TestPublisher publisher = await PublishedAsync(cluster, options => SmallSegments(options) with { ScrubBytesPerSecond = 1 << 30, ScrubInterval = TimeSpan.FromMilliseconds(100) });

        // Payloads, the statements that are read one at a time, and the heads from which a start rebuilds the witness.
        int damaged = Damage(cluster, "xxxx", "xXxx") + Damage(cluster, "orders", "0rders");
        Assert.True(damaged > Batches);
        await cluster[0].WhenLogged("damage in ");

        StatusFrame status = await StatusAsync(cluster, status => status is { DamagedCount: 0, RepairedCount: >= Batches / 2 });
        Assert.Equal(WitnessState.Serving, status.State);
        await UntilReadAsync(cluster, publisher);
        Assert.Contains("repaired ", cluster[0].Log, StringComparison.Ordinal);

        await cluster.StopAsync(0);
        await cluster.StartAsync(0, SmallSegments);
        await ReadAllAsync(cluster, publisher);
        Assert.Equal(0, (await StatusAsync(cluster, _ => true)).DamagedCount);
    }

    [Fact]
    public async Task W8_a_read_finds_damage_too_and_ends_with_a_reason()
    {
        await using LocalCluster cluster = new();
        using TestPublisher publisher = await PublishedAsync(cluster, options => SmallSegments(options) with { ScrubBytesPerSecond = 0 });
        Assert.True(Damage(cluster, "xxxx", "xXxx", atMost: 3) > 1);

        Assert.True(await IsRefusedAsync(cluster, publisher));

        // Each read runs into the next damaged body; each is repaired.
        await UntilReadAsync(cluster, publisher);
        Assert.True((await StatusAsync(cluster, status => status.DamagedCount == 0)).RepairedCount > 0);
    }

    private static NodeOptions SmallSegments(NodeOptions options) => options with { Edge = options.Edge with { JournalSegmentBytes = 4096 } };

    private static async Task<TestPublisher> PublishedAsync(LocalCluster cluster, Func<NodeOptions, NodeOptions> first)
    {
        for (int index = 0; index < 4; index++)
        {
            await cluster.StartAsync(index, index == 0 ? first : null);
        }

        TestPublisher publisher = await new TestPublisher(cluster).ConnectAsync(0, 1, 2, 3);
        for (int i = 0; i < Batches; i++)
        {
            await publisher.PublishAsync(new string('x', 900));
        }

        using TestConnection connection = new(cluster, 0);
        using TestCall<ISubscribeRequest, ISubscribeReply> call = await SubscribeAsync(connection, cluster);
        TestReader reader = new(cluster, call);
        for (int i = 0; i < Batches; i++)
        {
            await reader.NextAsync();
        }

        return publisher;
    }

    /// <summary>Overwrites a text in all files of witness 0 but the newest two, as often as it is there.</summary>
    private static int Damage(LocalCluster cluster, string text, string other, int atMost = int.MaxValue)
    {
        int damaged = 0;
        foreach (string path in Directory.EnumerateFiles(cluster.DataDirectory(0), "*.journal").Order(StringComparer.Ordinal).SkipLast(2))
        {
            byte[] bytes = File.ReadAllBytes(path);
            using FileStream file = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            int next = 0;
            while (bytes.AsSpan(next).IndexOf(Encoding.ASCII.GetBytes(text)) is >= 0 and int at && damaged < atMost)
            {
                file.Position = next + at;
                file.Write(Encoding.ASCII.GetBytes(other));
                next += at + 1000;
                damaged++;
                if (next >= bytes.Length)
                {
                    break;
                }
            }
        }

        return damaged;
    }

    private static Task<TestCall<ISubscribeRequest, ISubscribeReply>> SubscribeAsync(TestConnection connection, LocalCluster cluster) =>
        connection.SubscribeAsync(cluster.Reader, new StartFrame(new Topic("orders"), StartPosition.Earliest, [], WithBodies: true));

    private static async Task ReadAllAsync(LocalCluster cluster, TestPublisher publisher)
    {
        using TestConnection connection = new(cluster, 0);
        using TestCall<ISubscribeRequest, ISubscribeReply> call = await SubscribeAsync(connection, cluster);
        TestReader reader = new(cluster, call);
        for (int i = 0; i < Batches; i++)
        {
            (Slot slot, byte[] body) = await reader.NextAsync();
            Assert.Equal((ulong)i, slot.Sequence.Value);
            Assert.Equal(publisher.Batches[i].Body.ToArray(), body);
        }
    }

    private static async Task UntilReadAsync(LocalCluster cluster, TestPublisher publisher)
    {
        long begun = Stopwatch.GetTimestamp();
        while (await IsRefusedAsync(cluster, publisher))
        {
            Assert.True(Stopwatch.GetElapsedTime(begun) < LocalCluster.Patience, cluster[0].Log);
        }
    }

    private static async Task<bool> IsRefusedAsync(LocalCluster cluster, TestPublisher publisher)
    {
        try
        {
            await ReadAllAsync(cluster, publisher);
            return false;
        }
        catch (InvalidOperationException refusal) when (refusal.Message.Contains("a stored record is damaged", StringComparison.Ordinal))
        {
            return true;
        }
    }

    private static async Task<StatusFrame> StatusAsync(LocalCluster cluster, Func<StatusFrame, bool> isWanted)
    {
        long begun = Stopwatch.GetTimestamp();
        while (true)
        {
            using TestConnection connection = new(cluster, 0);
            StatusFrame status = await connection.StatusAsync(cluster.Reader);
            if (isWanted(status))
            {
                return status;
            }

            Assert.True(Stopwatch.GetElapsedTime(begun) < LocalCluster.Patience, $"{status.DamagedCount} damaged, {status.RepairedCount} repaired\n{cluster[0].Log}");
        }
    }
}
