using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;
using Grpc.Wire;

namespace Grpc.Net.Client;

/// <summary>The body of a request: one message, or what a stream writer pushes until it completes.</summary>
internal sealed class RequestContent<T> : HttpContent
    where T : class
{
    private readonly Marshaller<T> _marshaller;
    private readonly int? _lengthMax;
    private readonly T? _single;
    private readonly TaskCompletionSource<MessageWriter<T>> _writer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="marshaller">Serialises the messages.</param>
    /// <param name="lengthMax">Bytes of a message; null means no limit.</param>
    /// <param name="single">The only message; null for a stream.</param>
    public RequestContent(Marshaller<T> marshaller, int? lengthMax, T? single)
    {
        _marshaller = marshaller;
        _lengthMax = lengthMax;
        _single = single;
        Headers.ContentType = new MediaTypeHeaderValue(GrpcHeaders.ContentType);
        _ = _writer.Task.ContinueWith(static task => task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
    }

    /// <summary>What the only message could not be serialised for.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>There once the transport took the request's headers.</summary>
    public Task<MessageWriter<T>> Writer => _writer.Task;

    /// <summary>No message follows.</summary>
    public void End() => _end.TrySetResult();

    /// <summary>The call is over: a writer that still waits gets the reason, and a body that is not whole is reset.</summary>
    public void Abandon(RpcException reason)
    {
        _writer.TrySetException(reason);
        _end.TrySetCanceled();
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        MessageWriter<T> writer = new(PipeWriter.Create(stream, Framing.RequestBuffers), _marshaller, _lengthMax);
        if (_single is null)
        {
            // The server may want to see the headers before the first message exists.
            await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
            _writer.TrySetResult(writer);
            await _end.Task.ConfigureAwait(false);
            return;
        }

        try
        {
            writer.Write(_single);
        }
        catch (Exception e)
        {
            Failure = e;
            await writer.CompleteAsync(e).ConfigureAwait(false);
            throw;
        }

        await writer.SendAsync(null, cancellationToken).ConfigureAwait(false);
        await writer.CompleteAsync().ConfigureAwait(false);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
