using System.Threading.Channels;
using Grpc.Core;

namespace Bft.Node.Tests.Support;

/// <summary>What the other side of a call reads; or it resets the call instead.</summary>
public sealed class ScriptedRequests<T>(bool isReset) : IClientStreamWriter<T>
    where T : class
{
    private readonly TaskCompletionSource<T> _written = new();

    /// <summary>The first message.</summary>
    public Task<T> Written => _written.Task;

    public WriteOptions? WriteOptions { get; set; }

    public Task WriteAsync(T message)
    {
        _written.TrySetResult(message);
        return isReset ? Task.FromException(new RpcException(new Status(StatusCode.Unavailable, "the connection was lost"))) : Task.CompletedTask;
    }

    public Task WriteAsync(T message, CancellationToken cancellationToken) => WriteAsync(message);

    public Task CompleteAsync() => Task.CompletedTask;
}

/// <summary>What the other side of a call answers, as the test says it.</summary>
public sealed class ScriptedReplies<T> : IAsyncStreamReader<T>
    where T : class
{
    private readonly Channel<T> _frames = Channel.CreateUnbounded<T>();

    public T Current { get; private set; } = null!;

    public void Add(T frame) => _frames.Writer.TryWrite(frame);

    public void End(RpcException why) => _frames.Writer.Complete(why);

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        bool any = await _frames.Reader.WaitToReadAsync(cancellationToken);
        Current = any && _frames.Reader.TryRead(out T? next) ? next : Current;
        return any;
    }
}
