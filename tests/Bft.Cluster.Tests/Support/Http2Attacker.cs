using System.Buffers.Binary;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Bft.Configuration;
using Bft.Crypto;

namespace Bft.Cluster.Tests.Support;

/// <summary>One HTTP/2 connection whose every frame is written by hand.</summary>
internal sealed class Http2Attacker : IAsyncDisposable
{
    public const byte Data = 0;
    public const byte Headers = 1;
    public const byte Priority = 2;
    public const byte ResetStream = 3;
    public const byte Settings = 4;
    public const byte Ping = 6;
    public const byte WindowUpdate = 8;
    public const byte Continuation = 9;
    public const byte EndHeaders = 4;
    private const byte EndStream = 1;

    private readonly SslStream _tls;
    private readonly CancellationTokenSource _over = new();
    private readonly Dictionary<int, List<byte>> _bodies = [];
    private readonly HashSet<int> _ended = [];
    private readonly SemaphoreSlim _changed = new(0);

    private Http2Attacker(SslStream tls)
    {
        _tls = tls;
        Dropped = ReadAsync();
    }

    public static byte[] Preface { get; } = [.. Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), .. Frame(Settings, 0, 0, [])];

    /// <summary>Ends when the witness has ended the connection.</summary>
    public Task Dropped { get; }

    /// <summary>Dials until it gets in: an address that misbehaved is let in now and then only.</summary>
    public static Task<Http2Attacker> DialAsync(WitnessEntry entry, CancellationToken cancellationToken) => UntilLetInAsync(
        async () =>
        {
            SslStream tls = await RawClient.DialTlsAsync(entry);
            await tls.WriteAsync(Preface, cancellationToken);
            return new Http2Attacker(tls);
        },
        cancellationToken);

    /// <summary>Dials again while the address is held off for what was done before.</summary>
    public static async Task<T> UntilLetInAsync<T>(Func<Task<T>> dial, CancellationToken cancellationToken)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(20));
        while (true)
        {
            try
            {
                return await dial();
            }
            catch (Exception e) when (e is IOException or SocketException or AuthenticationException && !cancellationToken.IsCancellationRequested)
            {
                await timer.WaitForNextTickAsync(cancellationToken);
            }
        }
    }

    public static byte[] Frame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        byte[] frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length << 8);
        frame[3] = type;
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame.AsSpan(9));
        return frame;
    }

    /// <summary>A gRPC request's headers: static names, literal values, nothing indexed (RFC 7541).</summary>
    public static byte[] Request(int stream, string path) => Frame(Headers, EndHeaders, stream, Fields(path));

    public static byte[] Fields(string path) =>
    [
        0x83, // :method POST
        0x87, // :scheme https
        0x04, .. Literal(path),
        0x01, .. Literal("localhost"),
        0x0f, 0x10, .. Literal("application/grpc"),
        0x00, .. Literal("te"), .. Literal("trailers"),
    ];

    /// <summary>Below 127 bytes, as all of these are.</summary>
    public static byte[] Literal(string text) => [(byte)text.Length, .. Encoding.ASCII.GetBytes(text)];

    public async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await _tls.WriteAsync(bytes, cancellationToken);
        await _tls.FlushAsync(cancellationToken);
    }

    /// <summary>Sends this again and again until the witness drops the connection, or the time is over.</summary>
    /// <returns>Whether it was dropped.</returns>
    public async Task<bool> FloodAsync(Func<int, ReadOnlyMemory<byte>> make, CancellationToken cancellationToken, TimeSpan pause = default)
    {
        try
        {
            for (int i = 0; !Dropped.IsCompleted && !cancellationToken.IsCancellationRequested; i++)
            {
                await SendAsync(make(i), cancellationToken);
                if (pause > TimeSpan.Zero)
                {
                    await Task.WhenAny(Dropped, Task.Delay(pause, cancellationToken));
                }
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // Dropped, or pushed back until the time was over.
        }

        await Task.WhenAny(Dropped, Task.Delay(Timeout.Infinite, cancellationToken));
        return Dropped.IsCompleted;
    }

    /// <summary>Waits until the witness has ended so many streams, or the connection.</summary>
    public async Task WhenEndedAsync(int streams, CancellationToken cancellationToken)
    {
        while (!Dropped.IsCompleted && EndedCount() < streams)
        {
            await _changed.WaitAsync(cancellationToken);
        }

        int EndedCount()
        {
            lock (_bodies)
            {
                return _ended.Count;
            }
        }
    }

    /// <summary>Opens a publisher's session on stream 1, byte by byte.</summary>
    public async Task ProveAsync(RawClient client, Ed25519Signer signer)
    {
        await SendAsync(Request(1, "/bft.v1.Witness/Publish"), ProcessCluster.Deadline);
        byte[] challenge = await MessageAsync(1, 0);
        byte[] hello = [0, 0, 0, 0, 102, 0x0a, 100, 0x0a, PublicKey.Length, .. new byte[PublicKey.Length], 0x12, Signature.Length, .. new byte[Signature.Length]];
        signer.PublicKey.CopyTo(hello.AsSpan(9));
        client.Hello(signer.PublicKey, new Digest(challenge.AsSpan(challenge.Length - Digest.Length))).Sign(signer).CopyTo(hello.AsSpan(11 + PublicKey.Length));
        await SendAsync(Frame(Data, 0, 1, hello), ProcessCluster.Deadline);
        await MessageAsync(1, 5 + challenge.Length);
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _tls.DisposeAsync();
        await Dropped.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _over.Dispose();
        _changed.Dispose();
    }

    /// <summary>The gRPC message at this place of a stream's answer.</summary>
    private async Task<byte[]> MessageAsync(int stream, int offset)
    {
        while (true)
        {
            lock (_bodies)
            {
                if (_bodies.TryGetValue(stream, out List<byte>? body) && body.Count >= offset + 5)
                {
                    byte[] all = [.. body];
                    int length = BinaryPrimitives.ReadInt32BigEndian(all.AsSpan(offset + 1));
                    if (all.Length >= offset + 5 + length)
                    {
                        return all[(offset + 5)..(offset + 5 + length)];
                    }
                }
            }

            Assert.False(Dropped.IsCompleted, "The witness ended the connection.");
            await _changed.WaitAsync(ProcessCluster.Deadline);
        }
    }

    private async Task ReadAsync()
    {
        byte[] head = new byte[9];
        try
        {
            while (true)
            {
                await _tls.ReadExactlyAsync(head, _over.Token);
                byte[] payload = new byte[BinaryPrimitives.ReadInt32BigEndian(head) >>> 8];
                await _tls.ReadExactlyAsync(payload, _over.Token);
                int stream = BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5));
                lock (_bodies)
                {
                    if (head[3] == Data)
                    {
                        _bodies.TryAdd(stream, []);
                        _bodies[stream].AddRange(payload);
                    }

                    if (head[3] == ResetStream || (head[3] is Data or Headers && (head[4] & EndStream) != 0))
                    {
                        _ended.Add(stream);
                    }
                }

                _changed.Release();
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The end, however it comes.
        }
        finally
        {
            _changed.Release();
        }
    }
}
