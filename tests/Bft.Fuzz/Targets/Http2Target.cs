using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Bft.Fuzz.Samples;
using Bft.Node.Tests.Support;
using Bft.Wire.Frames;
using Bft.Wire.Tests;

namespace Bft.Fuzz.Targets;

/// <summary>Bytes on a TLS connection to a real witness: HTTP/2, gRPC, frames. Whatever comes, the witness goes on to answer honest callers, and its memory stays bounded.</summary>
internal sealed class Http2Target() : Target<Outcome>("http2"), IDisposable
{
    /// <summary>An answer comes sooner, or none does.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(20);

    private const int WriteMaxMs = 500;

    private readonly RealWitness _witness = new();
    private int _rounds;

    public override int LengthMax => 64 * 1024;

    /// <summary>A network is between.</summary>
    public override bool IsRepeatable => false;

    /// <summary>The witness's memory is looked at, not what this thread does for a handshake.</summary>
    public override long AllocatedMax(int length) => long.MaxValue;

    public override TimeSpan TimeMax(int length) => RealWitness.AnswerMax;

    public override IEnumerable<Seed> Seeds()
    {
        foreach (string path in new[] { "/bft.v1.Witness/Info", "/bft.v1.Witness/Publish", "/bft.v1.Witness/Fetch", "/bft.v1.Peer/Exchange", "/grpc.health.v1.Health/Check", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "/no/such" })
        {
            yield return new Seed($"call{path.Replace('/', '-')}", Http2Frames.Connection(Http2Frames.Call(1, path), Http2Frames.Message(1, [])));
        }

        foreach (Sample sample in Sample.All.Where(sample => sample.Frame is HelloFrame or BatchFrame or CertifiedFrame or StatusFrame))
        {
            yield return new Seed($"publish-{sample.Name}", Http2Frames.Connection(Http2Frames.Call(1, "/bft.v1.Witness/Publish"), Http2Frames.Message(1, sample.Encoded, isLast: false)));
        }

        Http2Frame call = Http2Frames.Call(1, "/bft.v1.Witness/Publish");
        yield return new Seed("pings", Http2Frames.Connection(Many(600, new(Http2Frame.Ping, 0, 0, new byte[8]))));
        yield return new Seed("settings", Http2Frames.Connection(Many(1000, Http2Frames.NoSettings)));
        yield return new Seed("resets", Http2Frames.Connection(Enumerable.Range(0, 100).SelectMany(number => (Http2Frame[])[call with { Stream = (uint)(2 * number) + 1 }, new(Http2Frame.ResetStream, 0, (uint)(2 * number) + 1, [0, 0, 0, 8])])));
        yield return new Seed("continuations", Http2Frames.Connection([call with { Flags = 0 }, .. Many(600, new(Http2Frame.Continuation, 0, 1, Http2Frames.Literal("a", "b")))]));
        yield return new Seed("empty-continuations", Http2Frames.Connection([call with { Flags = 0 }, .. Many(800, new(Http2Frame.Continuation, 0, 1, []))]));
        yield return new Seed("empty-data", Http2Frames.Connection([call, .. Many(800, new(Http2Frame.Data, 0, 1, []))]));
        yield return new Seed("open-streams", Http2Frames.Connection(Enumerable.Range(0, 80).Select(number => call with { Stream = (uint)(2 * number) + 1 })));
        yield return new Seed("window-overflow", Http2Frames.Connection(Many(4, new(Http2Frame.WindowUpdate, 0, 0, [0x7f, 0xff, 0xff, 0xff]))));
        yield return new Seed("message-of-4-gib", Http2Frames.Connection(call, new Http2Frame(Http2Frame.Data, 0, 1, [0, 0xff, 0xff, 0xff, 0xff, 1, 2])));
        yield return new Seed("message-compressed", Http2Frames.Connection(call, new Http2Frame(Http2Frame.Data, 0, 1, [1, 0, 0, 0, 1, 0])));
        yield return new Seed("frame-of-16-mib", [.. Http2Frames.Connection(call), .. new Http2Frame(Http2Frame.Data, 0, 1, [1]).Encode(0xffffff)]);
        yield return new Seed("table-updates", Http2Frames.Connection(call with { Payload = [.. Enumerable.Repeat<byte[]>([0x3f, 0xe1, 0x1f], 300).SelectMany(update => update), .. call.Payload] }));
        yield return new Seed("header-of-2-gib", Http2Frames.Connection(call with { Payload = [0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0x07, 1] }));
        yield return new Seed("headers-bomb", Http2Frames.Connection(call with { Payload = [.. call.Payload, 0x40, .. Http2Frames.Literal("k-bin", new string(',', 3000))[1..], .. Enumerable.Repeat((byte)0xbe, 3000)] }));
        yield return new Seed("many-values", Http2Frames.Connection(Http2Frames.Call(1, "/bft.v1.Witness/Info", more: ("k-bin", new string(',', 6000))), Http2Frames.Message(1, [])));
        yield return new Seed("go-away", Http2Frames.Connection(call, new Http2Frame(Http2Frame.GoAway, 0, 0, new byte[8]), call with { Stream = 3 }));
        yield return new Seed("http-1", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray());
        yield return new Seed("preface-cut", Http2Frames.Preface[..10].ToArray());
        yield return new Seed("nothing", []);
    }

    public override byte[]? Change(byte[] input, Mutator mutator) => Http2Frames.Change(input, mutator);

    protected override Outcome Decode(byte[] input) => RunAsync(input).GetAwaiter().GetResult();

    protected override Outcome Judge(byte[] input, Outcome decoded) => decoded;

    public void Dispose() => _witness.Dispose();

    private static IEnumerable<Http2Frame> Many(int count, Http2Frame frame) => Enumerable.Repeat(frame, count);

    private async Task<Outcome> RunAsync(byte[] input)
    {
        _rounds++;
        LocalCluster cluster = await _witness.StartedAsync();
        Outcome outcome = await AttackAsync(cluster, input);
        await _witness.AskAsync();
        return outcome;
    }

    private async Task<Outcome> AttackAsync(LocalCluster cluster, byte[] input)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Bind(RealWitness.Stranger(_rounds));
        using CancellationTokenSource deadline = new(RealWitness.AnswerMax);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, cluster.File.Witnesses[0].Address.Port, deadline.Token);
            using NetworkStream network = new(socket);
            using SslStream tls = new(network, leaveInnerStreamOpen: true, (_, _, _, _) => true);
            SslClientAuthenticationOptions options = new() { TargetHost = "bft", EnabledSslProtocols = SslProtocols.Tls13, ApplicationProtocols = [SslApplicationProtocol.Http2] };
            await tls.AuthenticateAsClientAsync(options, deadline.Token);
            Task write = WriteAsync(tls, input, deadline.Token);
            Outcome outcome = await ReadAsync(tls, write, deadline.Token);

            // Half of the time without a good-bye.
            socket.LingerState = new LingerOption(_rounds % 2 == 0, 0);
            return outcome;
        }
        catch (Exception refusal) when (refusal is SocketException or IOException or AuthenticationException or OperationCanceledException)
        {
            return Outcome.Rejected(refusal.GetType().Name);
        }
    }

    private static async Task WriteAsync(SslStream tls, byte[] input, CancellationToken cancellation)
    {
        try
        {
            await tls.WriteAsync(input, cancellation);
        }
        catch (IOException)
        {
            // The witness has heard enough.
        }
    }

    /// <summary>What was answered, by the kinds of frames, until the witness closes or is silent.</summary>
    private static async Task<Outcome> ReadAsync(SslStream tls, Task write, CancellationToken cancellation)
    {
        byte[] buffer = new byte[16 * 1024];
        SortedSet<int> seen = [];
        long begun = Environment.TickCount64;
        while (true)
        {
            Task<int> read = tls.ReadAsync(buffer, cancellation).AsTask();

            while (await Task.WhenAny(read, Task.Delay(Silence, cancellation)) != read)
            {
                // A witness that reads no further leaves the write open; it need not.
                if (write.IsCompleted || Environment.TickCount64 - begun > WriteMaxMs)
                {
                    // Observed, though nobody waits: the connection goes away below it.
                    _ = read.ContinueWith(task => task.Exception, TaskScheduler.Default);
                    return Seen(seen);
                }
            }

            int length = await read;
            if (length == 0)
            {
                seen.Add(-1);
                break;
            }

            foreach (Http2Frame frame in Http2Frames.Split(buffer.AsSpan(0, length).ToArray()))
            {
                seen.Add(frame.Type is Http2Frame.GoAway or Http2Frame.ResetStream && frame.Payload.Length >= 4 ? 256 + (frame.Type << 8) + frame.Payload[^1] : frame.Type);
            }
        }

        return Seen(seen);
    }

    private static Outcome Seen(SortedSet<int> kinds) => kinds.Aggregate(Outcome.Accepted, (sum, kind) => sum.With(unchecked((ulong)kind)));
}
