using Bft.Protocol.Model;
using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Node;

/// <summary>Frames that wait for one call's writer. Bounded in bytes: when it overflows the call ends, and what matters is sent again on the next one.</summary>
internal sealed class Outbox<T>(int bytesMax)
    where T : class, IFrame
{
    private static readonly WriteOptions Gather = new(WriteFlags.BufferHint);
    private static readonly WriteOptions Send = new();

    private readonly Lock _lock = new();
    private readonly Dictionary<StreamId, int> _tips = []; // where the tip of a stream waits; bound: as many as frames
    private List<T> _frames = [];
    private long _bytes;
    private bool _isClosed;
    private TaskCompletionSource? _wakeUp;

    /// <summary>Cancelled when the outbox overflowed or was closed: the call is to end.</summary>
    public CancellationTokenSource Over { get; } = new();

    public void Post(T frame, int bytes)
    {
        TaskCompletionSource? wakeUp;
        lock (_lock)
        {
            Add(frame, bytes);
            wakeUp = TakeWakeUp();
        }

        wakeUp?.TrySetResult();
    }

    /// <summary>A stored tip: only the last one of a stream matters to whoever is late.</summary>
    public void PostTip(StreamId stream, T tip, int bytes)
    {
        TaskCompletionSource? wakeUp;
        lock (_lock)
        {
            if (_tips.TryGetValue(stream, out int waiting))
            {
                _frames[waiting] = tip;
                return;
            }

            if (Add(tip, bytes))
            {
                _tips.Add(stream, _frames.Count - 1);
            }

            wakeUp = TakeWakeUp();
        }

        wakeUp?.TrySetResult();
    }

    /// <summary>What is not written is dropped.</summary>
    public void Close()
    {
        TaskCompletionSource? wakeUp;
        lock (_lock)
        {
            _isClosed = true;
            wakeUp = TakeWakeUp();
        }

        wakeUp?.TrySetResult();
    }

    /// <summary>Writes what comes until the outbox closes or the call ends; a heartbeat when nothing came for a while.</summary>
    public async Task WriteAllAsync(IAsyncStreamWriter<T> writer, T heartbeat, TimeSpan heartbeatInterval)
    {
        List<T> taken = [];
        while (await TakeAsync(taken, heartbeatInterval) is { } isClosed && !isClosed)
        {
            if (taken.Count == 0)
            {
                taken.Add(heartbeat);
            }

            for (int i = 0; i < taken.Count; i++)
            {
                writer.WriteOptions = i < taken.Count - 1 ? Gather : Send;
                await writer.WriteAsync(taken[i]).WaitAsync(Over.Token);
            }

            taken.Clear();
        }
    }

    private async ValueTask<bool> TakeAsync(List<T> into, TimeSpan heartbeatInterval)
    {
        Task wakeUp;
        lock (_lock)
        {
            if (TryTake(into))
            {
                return _isClosed;
            }

            wakeUp = (_wakeUp ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }

        await wakeUp.WaitAsync(heartbeatInterval, Over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Over.Token.ThrowIfCancellationRequested();
        lock (_lock)
        {
            TryTake(into);
            return _isClosed;
        }
    }

    private bool TryTake(List<T> into)
    {
        into.AddRange(_frames);
        _frames.Clear();
        _tips.Clear();
        _bytes = 0;
        return into.Count > 0 || _isClosed;
    }

    /// <returns>Whether it waits here: not in an outbox that is closed, or overflowed with it.</returns>
    private bool Add(T frame, int bytes)
    {
        if (_isClosed)
        {
            return false;
        }

        _bytes += bytes;
        _frames.Add(frame);
        if (_bytes > bytesMax)
        {
            _isClosed = true;
            _frames = [];
            _tips.Clear();
            _ = Over.CancelAsync();
        }

        return !_isClosed;
    }

    private TaskCompletionSource? TakeWakeUp()
    {
        TaskCompletionSource? wakeUp = _wakeUp;
        _wakeUp = null;
        return wakeUp;
    }
}
