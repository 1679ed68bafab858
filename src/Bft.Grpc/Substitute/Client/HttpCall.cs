using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;
using Grpc.Wire;

namespace Grpc.Net.Client;

/// <summary>One call of a client: its request, its response, and the one status it ends with.</summary>
internal sealed class HttpCall<TRequest, TResponse> : IDisposable
    where TRequest : class
    where TResponse : class
{
    private readonly GrpcChannel _channel;
    private readonly Method<TRequest, TResponse> _method;
    private readonly CallOptions _options;
    private readonly CancellationTokenSource _over;
    private readonly Timer? _deadline;
    private readonly TaskCompletionSource<Metadata> _headers = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<MessageReader<TResponse>> _reader = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<RpcException> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RequestContent<TRequest>? _content;
    private HttpResponseMessage? _response;

    public HttpCall(GrpcChannel channel, Method<TRequest, TResponse> method, CallOptions options)
    {
        _channel = channel;
        _method = method;
        _options = options;
        _over = CancellationTokenSource.CreateLinkedTokenSource(options.CancellationToken, channel.Disposed);
        Over = _over.Token;
        Requests = new RequestStreamWriter<TRequest, TResponse>(this) { WriteOptions = options.WriteOptions };
        Responses = new ResponseStreamReader<TRequest, TResponse>(this);
        if (options.Deadline is { } deadline && deadline != DateTime.MaxValue)
        {
            _deadline = new Timer(static call => ((HttpCall<TRequest, TResponse>)call!).OnDeadline(), this, Timeout.Infinite, Timeout.Infinite);
        }
    }

    public RequestStreamWriter<TRequest, TResponse> Requests { get; }

    public ResponseStreamReader<TRequest, TResponse> Responses { get; }

    public Task<Metadata> ResponseHeaders => _headers.Task;

    /// <summary>Fires when the call ends before its response did.</summary>
    public CancellationToken Over { get; }

    /// <summary>How the call ended (also with OK), or null while it runs.</summary>
    public RpcException? End => _end.Task.IsCompletedSuccessfully ? _end.Task.Result : null;

    /// <summary>Completes when messages can be written; fails when the call ended before.</summary>
    public Task<MessageWriter<TRequest>> Writer => _content!.Writer;

    /// <summary>Completes when the response's headers came and promise messages; fails when the call ended before.</summary>
    public Task<MessageReader<TResponse>> Reader => _reader.Task;

    public void Start(TRequest? single)
    {
        _content = new RequestContent<TRequest>(_method.RequestMarshaller, _channel.MaxSendMessageSize, single);
        Observe(_headers.Task);
        Observe(_reader.Task);
        TimeSpan? timeout = _deadline is null ? null : _options.Deadline!.Value.ToUniversalTime() - DateTime.UtcNow;
        if (timeout <= TimeSpan.Zero)
        {
            OnDeadline();
            return;
        }

        if (timeout is not null)
        {
            // A timer's longest time is 49 days; a later deadline is the server's to keep.
            _deadline!.Change((long)Math.Min(Math.Ceiling(timeout.Value.TotalMilliseconds), uint.MaxValue - 1), Timeout.Infinite);
        }

        Over.UnsafeRegister(static call => ((HttpCall<TRequest, TResponse>)call!).Cancel("The call was cancelled."), this);
        if (End is null)
        {
            _ = RunAsync(timeout);
        }
    }

    /// <summary>Cancels the call with a token of one read or write, unless it is the call's own, which does so anyway.</summary>
    public CancellationTokenRegistration CancelWith(CancellationToken token) => token == _options.CancellationToken
        ? default
        : token.UnsafeRegister(static call => ((HttpCall<TRequest, TResponse>)call!).Cancel("A read or write of the call was cancelled."), this);

    public void RequestEnd() => _content!.End();

    public void Cancel(string detail) => TryEnd(new Status(StatusCode.Cancelled, detail), null);

    public void Dispose() => Cancel("The call was disposed.");

    public Status GetStatus() => (End ?? throw new InvalidOperationException("The call has not ended.")).Status;

    public Metadata GetTrailers() => (End ?? throw new InvalidOperationException("The call has not ended.")).Trailers;

    /// <summary>Ends the call with what went wrong, unless it has ended already.</summary>
    /// <returns>How it ended.</returns>
    public RpcException Fail(Exception failure) => TryEnd(
        (failure as RpcException)?.Status ?? (_content?.Failure is { } local ? LocalFailure(local) : TransportStatus.Of(failure)), null);

    /// <summary>The transport took no more of the request.</summary>
    /// <returns>How the call ended; or, when messages and status of a stream are still to be read, what happened to the request alone.</returns>
    public async Task<RpcException> WriteFailedAsync(Exception failure)
    {
        if (_method.Type == MethodType.ClientStreaming)
        {
            return await _end.Task.ConfigureAwait(false);
        }

        // A server that ends a call early resets the request, but its answer is the better reason and is on its way.
        await ((Task)Reader).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return End ?? new RpcException(TransportStatus.Of(failure));
    }

    /// <summary>The response is read to its end: what follows is the status.</summary>
    public RpcException EndWithTrailers()
    {
        (Status status, Metadata trailers) = ResponseHead.StatusOf(_response!, _response!.TrailingHeaders);
        return TryEnd(status, trailers);
    }

    private static Status LocalFailure(Exception failure) =>
        failure is RpcException e ? e.Status : new Status(StatusCode.Internal, "The request could not be serialised.", failure);

    private static void Observe(Task task) =>
        _ = task.ContinueWith(static failed => failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    private void OnDeadline() => TryEnd(new Status(StatusCode.DeadlineExceeded, "The deadline passed."), null);

    private async Task RunAsync(TimeSpan? timeout)
    {
        try
        {
            HttpResponseMessage response = await _channel.SendAsync(Request(timeout), Over).ConfigureAwait(false);
            Interlocked.Exchange(ref _response, response);
            if (End is not null)
            {
                response.Dispose();
                return;
            }

            if (ResponseHead.EarlyEnd(response) is { } end)
            {
                _headers.TrySetResult(ResponseHead.Headers(response));
                TryEnd(end.Status, end.Trailers);
                return;
            }

            string? encoding = response.Headers.NonValidated.TryGetValues(GrpcHeaders.Encoding, out HeaderStringValues values) ? values.ToString() : null;
            Stream body = await response.Content.ReadAsStreamAsync(Over).ConfigureAwait(false);
            _headers.TrySetResult(ResponseHead.Headers(response));
            _reader.TrySetResult(new MessageReader<TResponse>(
                PipeReader.Create(body, Framing.ResponseBuffers), _method.ResponseMarshaller, _channel.MaxReceiveMessageSize, encoding));
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }

    private HttpRequestMessage Request(TimeSpan? timeout)
    {
        HttpRequestMessage request = new(HttpMethod.Post, new Uri(_channel.Address, _method.FullName))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = _content,
        };
        HttpRequestHeaders headers = request.Headers;
        headers.TryAddWithoutValidation("te", "trailers");
        headers.TryAddWithoutValidation("user-agent", "grpc-csharp-bft/1");
        headers.TryAddWithoutValidation(GrpcHeaders.AcceptEncoding, GrpcHeaders.Identity);
        if (timeout is { } time)
        {
            headers.TryAddWithoutValidation(GrpcHeaders.Timeout, Timeouts.Encode(time));
        }

        foreach (KeyValuePair<string, string> line in GrpcHeaders.Lines(_options.Headers ?? Metadata.Empty))
        {
            // HttpClient knows some names as headers of the content only.
            if (!headers.TryAddWithoutValidation(line.Key, line.Value))
            {
                _content!.Headers.TryAddWithoutValidation(line.Key, line.Value);
            }
        }

        return request;
    }

    /// <summary>The first end wins; every other part of the call learns of it here.</summary>
    /// <param name="status">How the call ended.</param>
    /// <param name="trailers">The server's; null when the end is not the server's own, so that its stream is reset.</param>
    private RpcException TryEnd(Status status, Metadata? trailers)
    {
        RpcException end = new(status, trailers ?? Metadata.Empty);
        if (!_end.TrySetResult(end))
        {
            return _end.Task.Result;
        }

        _deadline?.Dispose();
        _headers.TrySetException(end);
        _reader.TrySetException(end);
        _content?.Abandon(end);
        _ = ReleaseAsync(isReset: trailers is null);
        return end;
    }

    private async Task ReleaseAsync(bool isReset)
    {
        if (isReset)
        {
            // On the pool: callbacks of the token must not run on the thread of whoever ended the call.
            await _over.CancelAsync().ConfigureAwait(false);
        }

        _over.Dispose();
        Interlocked.CompareExchange(ref _response, null, null)?.Dispose();
    }
}
