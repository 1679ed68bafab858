using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Bft.Bench.Measuring;

namespace Bft.Bench.Faults;

/// <summary>A TCP proxy that holds every byte back for a while, in both directions; the while can be changed as it runs. Order and bytes stay.</summary>
internal sealed class DelayProxy : IAsyncDisposable
{
    private const int ChunkBytes = 64 * 1024;
    private const int ChunksMax = 1024; // per direction: 64 MiB under way at most, then the sender waits, as on a long fat link

    private readonly TcpListener _listener;
    private readonly IPEndPoint _target;
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _accepting;
    private long _delayNanoseconds;

    public DelayProxy(int port, int targetPort)
    {
        _target = new IPEndPoint(IPAddress.Loopback, targetPort);
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Each way, for what arrives from now on.</summary>
    public TimeSpan Delay
    {
        get => TimeSpan.FromTicks(Volatile.Read(ref _delayNanoseconds) / TimeSpan.NanosecondsPerTick);
        set => Volatile.Write(ref _delayNanoseconds, value.Ticks * TimeSpan.NanosecondsPerTick);
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _listener.Dispose();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ending.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> serving = [];
        try
        {
            while (true)
            {
                Socket near = await _listener.AcceptSocketAsync(_ending.Token);
                serving.RemoveAll(task => task.IsCompleted);
                serving.Add(ServeAsync(near));
            }
        }
        finally
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(Socket near)
    {
        using Socket far = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using (near)
        {
            near.NoDelay = true;
            try
            {
                await far.ConnectAsync(_target, _ending.Token);
                using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token);
                Task[] both = [PumpAsync(near, far, over.Token), PumpAsync(far, near, over.Token)];
                await Task.WhenAny(both);

                // One side closed: what is under way in the other direction is of no use to HTTP/2.
                await over.CancelAsync();
                await Task.WhenAll(both).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception error) when (error is SocketException or OperationCanceledException)
            {
                // The target is not there, or we end: the caller sees its connection close.
            }
        }
    }

    private async Task PumpAsync(Socket from, Socket to, CancellationToken cancellationToken)
    {
        Channel<(byte[] Bytes, long At)> held = Channel.CreateBounded<(byte[], long)>(ChunksMax);
        Task writing = WriteAsync(held.Reader, to, cancellationToken);
        byte[] buffer = new byte[ChunkBytes];
        try
        {
            while (await from.ReceiveAsync(buffer, cancellationToken) is > 0 and int count)
            {
                await held.Writer.WriteAsync((buffer.AsSpan(0, count).ToArray(), Monotonic.Now + Volatile.Read(ref _delayNanoseconds)), cancellationToken);
            }
        }
        finally
        {
            held.Writer.Complete();
            await writing;
        }
    }

    private static async Task WriteAsync(ChannelReader<(byte[] Bytes, long At)> held, Socket to, CancellationToken cancellationToken)
    {
        await foreach ((byte[] bytes, long at) in held.ReadAllAsync(cancellationToken))
        {
            if (at - Monotonic.Now is > 1_000_000 and long wait)
            {
                await Task.Delay(TimeSpan.FromTicks(wait / TimeSpan.NanosecondsPerTick), cancellationToken);
            }

            for (int sent = 0; sent < bytes.Length;)
            {
                sent += await to.SendAsync(bytes.AsMemory(sent), cancellationToken);
            }
        }
    }
}
