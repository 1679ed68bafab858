using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Bft.Cluster.Tests.Support;

/// <summary>What a network does to bytes on their way, in one direction.</summary>
/// <param name="Delay">Each byte arrives so much later.</param>
/// <param name="BytesPerSecond">At most so many; 0 for no limit.</param>
/// <param name="IsBlackhole">Nothing arrives, not even that a connection was closed; what TCP still holds arrives when this ends.</param>
internal sealed record Weather(TimeSpan Delay = default, int BytesPerSecond = 0, bool IsBlackhole = false)
{
    public static Weather Fair { get; } = new();

    public static Weather Blackhole { get; } = new(IsBlackhole: true);
}

/// <summary>A TCP proxy in front of one address: everything that one party says to another goes through it.</summary>
internal sealed class Link : IAsyncDisposable
{
    private const int ChunkBytes = 16 * 1024;
    private const int ChunksMax = 64; // per direction: like a socket's buffer, what does not arrive holds up the sender

    private readonly Lock _lock = new();
    private readonly Socket _listener = new(SocketType.Stream, ProtocolType.Tcp);
    private readonly IPEndPoint _target;
    private readonly CancellationTokenSource _over = new();
    private readonly List<Connection> _connections = [];
    private readonly Task _accepting;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Weather _there = Weather.Fair;
    private Weather _back = Weather.Fair;
    private bool _isCut;

    public Link(int port, IPEndPoint target)
    {
        _target = target;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        _listener.Listen(512);
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>Both ways, from now on.</summary>
    public void Set(Weather weather) => Set(weather, weather);

    /// <summary>Each way for itself: to the target, and back from it.</summary>
    public void Set(Weather there, Weather back)
    {
        lock (_lock)
        {
            (_there, _back, _isCut) = (there, back, false);
            _changed.SetResult();
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Resets all connections, and each new one, until <see cref="Set(Weather)"/>.</summary>
    public void Cut()
    {
        Connection[] cut;
        lock (_lock)
        {
            _isCut = true;
            cut = [.. _connections];
            _connections.Clear();
        }

        Array.ForEach(cut, connection => connection.Reset());
    }

    /// <summary>The target's ends are reset, the callers' stay open and silent for ever: half-open connections, as after a power cut behind a firewall.</summary>
    public void HalfOpen()
    {
        Connection[] open;
        lock (_lock)
        {
            open = [.. _connections];
        }

        Array.ForEach(open, connection => connection.ForgetTarget());
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        _listener.Dispose();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Cut();
    }

    private (Weather Weather, Task Changed) Now(bool isBack)
    {
        lock (_lock)
        {
            return (isBack ? _back : _there, _changed.Task);
        }
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Connection connection = new(this, await _listener.AcceptAsync(_over.Token));
            bool isCut;
            lock (_lock)
            {
                isCut = _isCut;
                _connections.RemoveAll(old => old.IsOver);
                _connections.Add(connection);
            }

            if (isCut)
            {
                connection.Reset();
            }
            else
            {
                _ = Task.Run(connection.RunAsync);
            }
        }
    }

    /// <summary>One caller's connection, and ours to the target.</summary>
    private sealed class Connection(Link link, Socket caller)
    {
        private readonly Socket _target = new(SocketType.Stream, ProtocolType.Tcp);
        private volatile bool _isTargetForgotten;

        public bool IsOver { get; private set; }

        public async Task RunAsync()
        {
            try
            {
                caller.NoDelay = _target.NoDelay = true;
                await PassAsync(isBack: false); // a SYN vanishes like everything else
                await _target.ConnectAsync(link._target, link._over.Token);
                Task[] ways = [PumpAsync(caller, _target, isBack: false), PumpAsync(_target, caller, isBack: true)];
                await await Task.WhenAny(ways); // a reset ends both ways
                await Task.WhenAll(ways);
            }
            catch (Exception error) when (error is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // One of the two ends is gone; the other learns of it.
            }

            if (!_isTargetForgotten)
            {
                Reset();
            }
        }

        public void Reset()
        {
            IsOver = true;
            Reset(caller);
            Reset(_target);
        }

        public void ForgetTarget()
        {
            _isTargetForgotten = true;
            Reset(_target);
        }

        private static void Reset(Socket socket)
        {
            try
            {
                socket.LingerState = new LingerOption(true, 0);
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                // It was not even connected.
            }

            socket.Dispose();
        }

        private async Task PumpAsync(Socket from, Socket to, bool isBack)
        {
            Channel<(byte[] Bytes, long ReadAt)> way = Channel.CreateBounded<(byte[], long)>(ChunksMax);
            Task reading = ReadAsync(from, way.Writer);
            await foreach ((byte[] bytes, long readAt) in way.Reader.ReadAllAsync())
            {
                await PassAsync(isBack, readAt, bytes.Length);
                for (int sent = 0; sent < bytes.Length;)
                {
                    sent += await to.SendAsync(bytes.AsMemory(sent), SocketFlags.None);
                }
            }

            await PassAsync(isBack);
            await reading;
            if (_isTargetForgotten)
            {
                await Task.Delay(Timeout.Infinite, link._over.Token);
            }

            to.Shutdown(SocketShutdown.Send);
        }

        /// <summary>Waits until the weather lets this through.</summary>
        private async Task PassAsync(bool isBack, long readAt = 0, int bytes = 0)
        {
            while (true)
            {
                (Weather weather, Task changed) = link.Now(isBack);
                TimeSpan left = readAt == 0 ? TimeSpan.Zero : weather.Delay - Stopwatch.GetElapsedTime(readAt);
                if (weather.IsBlackhole)
                {
                    await changed.WaitAsync(link._over.Token);
                }
                else if (left > TimeSpan.Zero)
                {
                    await Task.WhenAny(changed, Task.Delay(left, link._over.Token));
                    link._over.Token.ThrowIfCancellationRequested();
                }
                else
                {
                    if (weather.BytesPerSecond > 0)
                    {
                        await Task.Delay(TimeSpan.FromSeconds((double)bytes / weather.BytesPerSecond), link._over.Token);
                    }

                    return;
                }
            }
        }

        /// <summary>An end, orderly or not, takes its place behind what came before it.</summary>
        private static async Task ReadAsync(Socket from, ChannelWriter<(byte[] Bytes, long ReadAt)> way)
        {
            Exception? end = null;
            try
            {
                byte[] buffer = new byte[ChunkBytes];
                while (await from.ReceiveAsync(buffer, SocketFlags.None) is > 0 and int count)
                {
                    await way.WriteAsync((buffer[..count], Stopwatch.GetTimestamp()));
                }
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                end = error;
            }

            way.Complete();
            if (end is SocketException)
            {
                throw end;
            }
        }
    }
}
