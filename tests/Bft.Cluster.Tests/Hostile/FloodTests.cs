using System.Diagnostics;
using System.Net.Sockets;
using Bft.Cluster.Tests.Support;
using Bft.Configuration;
using Bft.Crypto;
using Grpc.Core;
using Xunit.Abstractions;

namespace Bft.Cluster.Tests.Hostile;

/// <summary>More of something than any client sends: the sender is dropped, memory is bounded, and an honest publisher and reader go on meanwhile.</summary>
/// <remarks>Their cluster is their own: what they do is held against their address.</remarks>
public sealed class FloodTests(SharedCluster shared, ITestOutputHelper output) : IClassFixture<SharedCluster>
{
    private const int Attackers = 4;
    private const int GrownMax = 160; // MiB, of which most is the honest load's
    private const int FramesAtOnce = 200;

    /// <summary>A generous bound, for machines that do a lot besides. Unit: ms.</summary>
    private const double P99Max = 20_000;

    private ProcessCluster Cluster => shared.Cluster;

    private WitnessEntry Entry => Cluster.File.Witnesses[0];

    public static TheoryData<string> Frames => ["resets", "resets of a client", "pings", "pings of a client", "settings", "continuations", "window updates", "priorities", "unknown frames", "empty data"];

    [Theory]
    [MemberData(nameof(Frames))]
    public Task Frames_without_content_end_the_connection(string kind) => AttackAsync(kind, deadline => Task.WhenAll(Enumerable.Range(0, Attackers).Select(async _ =>
    {
        await using Http2Attacker attacker = await Http2Attacker.DialAsync(Entry, deadline);
        if (kind.EndsWith("of a client", StringComparison.Ordinal))
        {
            using RawClient client = new(Cluster, 0);
            using Ed25519Signer signer = Cluster.SignerOf("publisher");
            await attacker.ProveAsync(client, signer);
        }

        if (kind is "continuations" or "empty data")
        {
            byte[] headers = Http2Attacker.Request(3, "/bft.v1.Witness/Publish");
            headers[4] = kind == "continuations" ? (byte)0 : headers[4]; // more of them follow, for ever
            await attacker.SendAsync(headers, deadline);
        }

        Assert.True(await attacker.FloodAsync(i => Many(i, stream => Flood(kind, stream)), deadline), "It was not dropped.");
    })));

    [Theory]
    [InlineData("/bft.v1.Witness/Info")]
    [InlineData("/bft.v1.Witness/Publish")]
    [InlineData("/no.such.Service/Method")]
    public Task Bodies_of_strangers_end_the_connection_before_they_take_memory(string path) => AttackAsync($"bodies to {path}", deadline => Task.WhenAll(Enumerable.Range(0, 32).Select(async _ =>
    {
        await using Http2Attacker attacker = await Http2Attacker.DialAsync(Entry, deadline);
        byte[] head = [.. Http2Attacker.Request(1, path), .. Http2Attacker.Frame(Http2Attacker.Data, 0, 1, [0, 0, 0x3f, 0xff, 0xff])];
        byte[] body = Http2Attacker.Frame(Http2Attacker.Data, 0, 1, new byte[16_000]);
        Assert.True(await attacker.FloodAsync(i => i == 0 ? head : body, deadline), "It was not dropped.");
    })));

    [Fact]
    public Task Headers_above_their_limit_end_the_connection() => AttackAsync("a header bomb", deadline => Task.WhenAll(Enumerable.Range(0, Attackers).Select(async _ =>
    {
        // 4,000 bytes once into the table, then by its index in a byte each: 16 KiB on the wire would be 64 MiB.
        await using Http2Attacker attacker = await Http2Attacker.DialAsync(Entry, deadline);
        byte[] entry = [0x40, .. Http2Attacker.Literal("x-bomb"), 0x7f, 0xa1, 0x1e, .. new byte[4000].Select(_ => (byte)'x')];
        byte[] bomb = Http2Attacker.Frame(Http2Attacker.Headers, 0, 1, [.. Http2Attacker.Fields("/bft.v1.Witness/Info"), .. entry, .. Enumerable.Repeat((byte)0xbe, 12_000)]);
        Assert.True(await attacker.FloodAsync(i => i == 0 ? bomb : Http2Attacker.Frame(Http2Attacker.Continuation, 0, 1, [.. Enumerable.Repeat((byte)0xbe, 16_000)]), deadline), "It was not dropped.");
    })));

    [Theory]
    [InlineData("idle")]
    [InlineData("half-open handshakes")]
    public Task Ten_thousand_connections_take_nobodys_place(string kind) => AttackAsync(kind, async deadline =>
    {
        byte[] beginning = [0x16, 0x03, 0x01];
        Queue<Task> open = [];
        for (int i = 0; i < 10_000; i++)
        {
            open.Enqueue(DialUntilDroppedAsync(kind == "idle" ? [] : beginning, deadline));
            while (open.TryPeek(out Task? first) && (first.IsCompleted || open.Count > 500))
            {
                await open.Dequeue(); // displaced by those after it
            }
        }

        await Task.WhenAll(open); // and the last ones by the time a handshake may take
    });

    [Fact]
    public Task A_byte_now_and_then_keeps_no_connection() => AttackAsync("a byte a second", async deadline =>
    {
        byte[] clientHello = [0x16, 0x03, 0x01, 0x01, 0x00, .. new byte[251]];
        byte[] request = Http2Attacker.Request(1, "/bft.v1.Witness/Publish");
        await using Http2Attacker stranger = await Http2Attacker.DialAsync(Entry, deadline);
        await using Http2Attacker client = await Http2Attacker.DialAsync(Entry, deadline);
        using RawClient raw = new(Cluster, 0);
        using Ed25519Signer signer = Cluster.SignerOf("publisher");
        await client.ProveAsync(raw, signer);
        await client.SendAsync(Http2Attacker.Frame(Http2Attacker.Data, 0, 1, [0, 0, 1, 0, 0]), deadline); // a message of 64 KiB begins
        bool[] dropped = await Task.WhenAll(
            DribbleAsync(i => clientHello.AsMemory(i, 1), deadline),
            stranger.FloodAsync(i => request.AsMemory(i % request.Length, 1), deadline, TimeSpan.FromSeconds(1)),
            client.FloodAsync(_ => Http2Attacker.Frame(Http2Attacker.Data, 0, 1, [0x22]), deadline, TimeSpan.FromSeconds(1)));
        Assert.Equal([true, true, true], dropped);
    });

    [Fact]
    public Task Lengths_and_flags_that_lie_end_the_call() => AttackAsync("oversized declarations", async deadline =>
    {
        await using Http2Attacker attacker = await Http2Attacker.DialAsync(Entry, deadline);
        for (int i = 0; i < 50; i++)
        {
            int stream = (2 * i) + 1;
            byte[] prefix = i % 2 == 0 ? [0, 0xff, 0xff, 0xff, 0xff, 1] : [1, 0, 0, 0, 100, 1];
            await attacker.SendAsync((byte[])[.. Http2Attacker.Request(stream, "/bft.v1.Witness/Publish"), .. Http2Attacker.Frame(Http2Attacker.Data, 0, stream, prefix)], deadline);
        }
    });

    private static ReadOnlyMemory<byte> Many(int round, Func<int, byte[]> frame)
    {
        IEnumerable<byte[]> frames = Enumerable.Range(0, FramesAtOnce).Select(i => frame((2 * ((round * FramesAtOnce) + i)) + 5));
        return frames.SelectMany(bytes => bytes).ToArray();
    }

    private static byte[] Flood(string kind, int stream) => kind switch
    {
        "resets" or "resets of a client" => [.. Http2Attacker.Request(stream, "/bft.v1.Witness/Info"), .. Http2Attacker.Frame(Http2Attacker.ResetStream, 0, stream, [0, 0, 0, 8])],
        "settings" => Http2Attacker.Frame(Http2Attacker.Settings, 0, 0, []),
        "continuations" => Http2Attacker.Frame(Http2Attacker.Continuation, 0, 3, []),
        "window updates" => Http2Attacker.Frame(Http2Attacker.WindowUpdate, 0, 0, [0, 0, 0, 1]),
        "priorities" => Http2Attacker.Frame(Http2Attacker.Priority, 0, stream, [0, 0, 0, 0, 1]),
        "unknown frames" => Http2Attacker.Frame(0x77, 0, 0, [1, 2, 3]),
        "empty data" => Http2Attacker.Frame(Http2Attacker.Data, 0, 3, []),
        _ => Http2Attacker.Frame(Http2Attacker.Ping, 0, 0, new byte[8]),
    };

    /// <summary>A byte a second, of a handshake, until the witness ends the connection.</summary>
    private async Task<bool> DribbleAsync(Func<int, ReadOnlyMemory<byte>> make, CancellationToken deadline)
    {
        await using NetworkStream connection = await Http2Attacker.UntilLetInAsync(() => RawClient.DialAsync(Entry), deadline);
        using PeriodicTimer timer = new(TimeSpan.FromSeconds(1));
        try
        {
            for (int i = 0; i < 60; i++)
            {
                await connection.WriteAsync(make(i), deadline);
                await timer.WaitForNextTickAsync(deadline);
            }

            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private async Task DialUntilDroppedAsync(byte[] beginning, CancellationToken deadline)
    {
        try
        {
            await using NetworkStream connection = await RawClient.DialAsync(Entry);
            await connection.WriteAsync(beginning, deadline);
            byte[] buffer = new byte[1024];
            while (await connection.ReadAsync(buffer, deadline) > 0)
            {
            }
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // A reset is an end too.
        }
    }

    private async Task AttackAsync(string kind, Func<CancellationToken, Task> attack)
    {
        await using HonestLoad honest = await HonestLoad.StartAsync(Cluster);
        await honest.PhaseAsync(TimeSpan.FromSeconds(1), Task.CompletedTask); // warm
        (int count, double median, double p99) before = await honest.PhaseAsync(TimeSpan.FromSeconds(2), Task.CompletedTask);
        MemoryWatch memory = new(Cluster[0]);
        using CancellationTokenSource deadline = new(3 * ProcessCluster.Patience);
        long begun = Stopwatch.GetTimestamp();
        (int count, double median, double p99) during = await honest.PhaseAsync(TimeSpan.FromSeconds(2), attack(deadline.Token));
        output.WriteLine(FormattableString.Invariant(
            $"{kind}: {Stopwatch.GetElapsedTime(begun).TotalSeconds:0.0} s; honest before {before.count} at {before.median:0.0} / {before.p99:0.0} ms (median / p99), meanwhile {during.count} at {during.median:0.0} / {during.p99:0.0} ms; {Cluster[0].Memory().Peak >> 20} MiB at most"));
        memory.AssertBounded(GrownMax);
        Assert.False(during.p99 > P99Max, $"An honest publisher waited {during.p99:0} ms.");
        await honest.StopAsync();
        await ServesAsync(deadline.Token);
    }

    /// <summary>The address is held off now and then; a client dials again.</summary>
    private async Task ServesAsync(CancellationToken deadline)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            try
            {
                await Cluster.AssertServesAsync(0);
                return;
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.Unavailable)
            {
                await timer.WaitForNextTickAsync(deadline);
            }
        }
    }
}
