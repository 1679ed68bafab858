using System.Net.Sockets;
using Bft.Cluster.Tests.Support;
using Bft.Configuration;
using Bft.Crypto;

namespace Bft.Cluster.Tests.Hostile;

/// <summary>More of something than any client sends. Each runs until the witness has dropped all that sent it, and fails when it does not.</summary>
internal sealed class Floods(ProcessCluster cluster)
{
    private const int Attackers = 4;
    private const int FramesAtOnce = 200;

    /// <summary>Frames without content.</summary>
    public static IReadOnlyList<string> Frames { get; } = ["resets", "resets of a client", "pings", "pings of a client", "settings", "continuations", "window updates", "priorities", "unknown frames", "empty data"];

    /// <summary>Bodies of strangers, by what they are sent to.</summary>
    public static IReadOnlyList<string> Bodies { get; } = ["/bft.v1.Witness/Info", "/bft.v1.Witness/Publish", "/no.such.Service/Method"];

    /// <summary>Connections, ten thousand of them.</summary>
    public static IReadOnlyList<string> Connections { get; } = ["idle", "half-open handshakes"];

    public static IReadOnlyList<string> All { get; } = [.. Frames, .. Bodies, .. Connections, "a header bomb", "a byte a second", "oversized declarations"];

    private WitnessEntry Entry => cluster.File.Witnesses[0];

    public Task RunAsync(string kind, CancellationToken deadline) => kind switch
    {
        "a header bomb" => HeaderBombAsync(deadline),
        "a byte a second" => DribbleAsync(deadline),
        "oversized declarations" => LieAsync(deadline),
        _ when Bodies.Contains(kind, StringComparer.Ordinal) => BodiesAsync(kind, deadline),
        _ when Connections.Contains(kind, StringComparer.Ordinal) => ConnectAsync(kind == "idle" ? [] : [0x16, 0x03, 0x01], deadline),
        _ => FramesAsync(kind, deadline),
    };

    private Task FramesAsync(string kind, CancellationToken deadline) => Task.WhenAll(Enumerable.Range(0, Attackers).Select(async _ =>
    {
        await using Http2Attacker attacker = await Http2Attacker.DialAsync(Entry, deadline);
        if (kind.EndsWith("of a client", StringComparison.Ordinal))
        {
            using RawClient client = new(cluster, 0);
            using Ed25519Signer signer = cluster.SignerOf("publisher");
            await attacker.ProveAsync(client, signer);
        }

        if (kind is "continuations" or "empty data")
        {
            byte[] headers = Http2Attacker.Request(3, "/bft.v1.Witness/Publish");
            headers[4] = kind == "continuations" ? (byte)0 : headers[4]; // more of them follow, for ever
            await attacker.SendAsync(headers, deadline);
        }

        Assert.True(await attacker.FloodAsync(i => Many(i, stream => Flood(kind, stream)), deadline), "It was not dropped.");
    }));

    private Task BodiesAsync(string path, CancellationToken deadline) => Task.WhenAll(Enumerable.Range(0, 32).Select(async _ =>
    {
        await using Http2Attacker attacker = await Http2Attacker.DialAsync(Entry, deadline);
        byte[] head = [.. Http2Attacker.Request(1, path), .. Http2Attacker.Frame(Http2Attacker.Data, 0, 1, [0, 0, 0x3f, 0xff, 0xff])];
        byte[] body = Http2Attacker.Frame(Http2Attacker.Data, 0, 1, new byte[16_000]);
        Assert.True(await attacker.FloodAsync(i => i == 0 ? head : body, deadline), "It was not dropped.");
    }));

    private Task HeaderBombAsync(CancellationToken deadline) => Task.WhenAll(Enumerable.Range(0, Attackers).Select(async _ =>
    {
        // 4,000 bytes once into the table, then by its index in a byte each: 16 KiB on the wire would be 64 MiB.
        await using Http2Attacker attacker = await Http2Attacker.DialAsync(Entry, deadline);
        byte[] entry = [0x40, .. Http2Attacker.Literal("x-bomb"), 0x7f, 0xa1, 0x1e, .. new byte[4000].Select(_ => (byte)'x')];
        byte[] bomb = Http2Attacker.Frame(Http2Attacker.Headers, 0, 1, [.. Http2Attacker.Fields("/bft.v1.Witness/Info"), .. entry, .. Enumerable.Repeat((byte)0xbe, 12_000)]);
        Assert.True(await attacker.FloodAsync(i => i == 0 ? bomb : Http2Attacker.Frame(Http2Attacker.Continuation, 0, 1, [.. Enumerable.Repeat((byte)0xbe, 16_000)]), deadline), "It was not dropped.");
    }));

    private async Task ConnectAsync(byte[] beginning, CancellationToken deadline)
    {
        Queue<Task> open = [];
        for (int i = 0; i < 10_000; i++)
        {
            open.Enqueue(DialUntilDroppedAsync(beginning, deadline));
            while (open.TryPeek(out Task? first) && (first.IsCompleted || open.Count > 500))
            {
                await open.Dequeue(); // displaced by those after it
            }
        }

        await Task.WhenAll(open); // and the last ones by the time a handshake may take
    }

    private async Task DribbleAsync(CancellationToken deadline)
    {
        byte[] clientHello = [0x16, 0x03, 0x01, 0x01, 0x00, .. new byte[251]];
        byte[] request = Http2Attacker.Request(1, "/bft.v1.Witness/Publish");
        await using Http2Attacker stranger = await Http2Attacker.DialAsync(Entry, deadline);
        await using Http2Attacker client = await Http2Attacker.DialAsync(Entry, deadline);
        using RawClient raw = new(cluster, 0);
        using Ed25519Signer signer = cluster.SignerOf("publisher");
        await client.ProveAsync(raw, signer);
        await client.SendAsync(Http2Attacker.Frame(Http2Attacker.Data, 0, 1, [0, 0, 1, 0, 0]), deadline); // a message of 64 KiB begins
        bool[] dropped = await Task.WhenAll(
            DribbleAsync(i => clientHello.AsMemory(i, 1), deadline),
            stranger.FloodAsync(i => request.AsMemory(i % request.Length, 1), deadline, TimeSpan.FromSeconds(1)),
            client.FloodAsync(_ => Http2Attacker.Frame(Http2Attacker.Data, 0, 1, [0x22]), deadline, TimeSpan.FromSeconds(1)));
        Assert.Equal([true, true, true], dropped);
    }

    private async Task LieAsync(CancellationToken deadline)
    {
        await using Http2Attacker attacker = await Http2Attacker.DialAsync(Entry, deadline);
        const int Calls = 50;
        for (int i = 0; i < Calls; i++)
        {
            int stream = (2 * i) + 1;
            byte[] prefix = i % 2 == 0 ? [0, 0xff, 0xff, 0xff, 0xff, 1] : [1, 0, 0, 0, 100, 1];
            await attacker.SendAsync((byte[])[.. Http2Attacker.Request(stream, "/bft.v1.Witness/Publish"), .. Http2Attacker.Frame(Http2Attacker.Data, 0, stream, prefix)], deadline);
        }

        await attacker.WhenEndedAsync(Calls, deadline);
    }

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
}
