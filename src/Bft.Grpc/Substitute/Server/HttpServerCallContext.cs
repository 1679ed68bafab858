using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Grpc.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Grpc.AspNetCore.Server;

/// <summary>One call, told by its HTTP request; its end becomes trailers.</summary>
internal sealed class HttpServerCallContext : ServerCallContext, IDisposable
{
    private const int Http2InternalError = 2;

    private readonly CancellationTokenSource? _deadline;
    private bool _isEnded;

    private HttpServerCallContext(HttpContext http, Metadata requestHeaders, TimeSpan? timeout)
    {
        Http = http;
        RequestHeaders = requestHeaders;
        CancellationToken = http.RequestAborted;
        Deadline = DateTime.MaxValue;
        DateTime now = DateTime.UtcNow;
        if (timeout is { } time && time < DateTime.MaxValue - now)
        {
            Deadline = now + time;
            _deadline = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
            CancellationToken = _deadline.Token;

            // A timer's longest time is 49 days; a later deadline is the client's to keep.
            _deadline.CancelAfter(TimeSpan.FromMilliseconds(Math.Min(Math.Ceiling(time.TotalMilliseconds), uint.MaxValue - 1)));
        }
    }

    public HttpContext Http { get; }

    public override string Method => Http.Request.Path.Value ?? "";

    public override string Host => Http.Request.Host.Value ?? "";

    public override string Peer => Http.Connection.RemoteIpAddress switch
    {
        null => "unknown",
        { AddressFamily: AddressFamily.InterNetwork } address => $"ipv4:{new IPEndPoint(address, Http.Connection.RemotePort)}",
        { } address => $"ipv6:{new IPEndPoint(address, Http.Connection.RemotePort)}",
    };

    public override DateTime Deadline { get; }

    public override Metadata RequestHeaders { get; }

    public override CancellationToken CancellationToken { get; }

    public override Metadata ResponseTrailers { get; } = [];

    public override Status Status { get; set; } = Status.DefaultSuccess;

    public override WriteOptions? WriteOptions { get; set; }

    /// <summary>Messages stand before the status, so that it goes into trailers.</summary>
    public bool HasMessages { get; set; }

    /// <summary>The request broke off.</summary>
    public bool IsClientGone { get; set; }

    public bool IsDeadlinePassed => _deadline is { IsCancellationRequested: true } && !Http.RequestAborted.IsCancellationRequested;

    /// <summary>The call of a request, or null and the status that refuses it.</summary>
    public static HttpServerCallContext? TryCreate(HttpContext http, out Status refusal)
    {
        refusal = default;
        Metadata headers = [];
        foreach ((string name, Microsoft.Extensions.Primitives.StringValues values) in http.Request.Headers)
        {
            foreach (string? value in values)
            {
                if (!name.StartsWith(':') && !GrpcHeaders.TryAdd(headers, name, value ?? ""))
                {
                    refusal = new Status(StatusCode.Internal, "A binary header is not base64.");
                    return null;
                }
            }
        }

        string? timeoutText = http.Request.Headers[GrpcHeaders.Timeout];
        TimeSpan timeout = default;
        if (timeoutText is not null && !Timeouts.TryParse(timeoutText, out timeout))
        {
            refusal = new Status(StatusCode.Internal, "The header grpc-timeout is malformed.");
            return null;
        }

        return new HttpServerCallContext(http, headers, timeoutText is null ? null : timeout);
    }

    /// <summary>Answers with a status and nothing else.</summary>
    public static void EndWithoutCall(HttpContext http, Status status)
    {
        http.Response.ContentType = GrpcHeaders.ContentType;
        PutStatus(http.Response.Headers, status, Metadata.Empty);
    }

    public override async Task WriteResponseHeadersAsync(Metadata responseHeaders)
    {
        ArgumentNullException.ThrowIfNull(responseHeaders);
        ThrowIfEnded();
        if (Http.Response.HasStarted || HasMessages)
        {
            throw new InvalidOperationException("The response has begun.");
        }

        Put(Http.Response.Headers, responseHeaders);
        await Http.Response.BodyWriter.FlushAsync(CancellationToken).ConfigureAwait(false);
    }

    /// <summary>Whether watching the call's own token is enough to watch the given one.</summary>
    public bool Covers(CancellationToken token) => !token.CanBeCanceled || token == CancellationToken || token == Http.RequestAborted;

    public void ThrowIfEnded()
    {
        if (_isEnded)
        {
            throw new InvalidOperationException("The call has ended.");
        }
    }

    /// <summary>Ends the call without a status.</summary>
    public void Reset()
    {
        _isEnded = true;
        Http.Features.Get<IHttpResetFeature>()?.Reset(Http2InternalError);
    }

    /// <summary>Sends the status and the trailers; the transport follows when the request's delegate returns.</summary>
    public void EndWithStatus()
    {
        if (_isEnded || Http.RequestAborted.IsCancellationRequested)
        {
            return;
        }

        _isEnded = true;
        bool isTrailersOnly = !Http.Response.HasStarted && !HasMessages;
        IHeaderDictionary trailers = isTrailersOnly
            ? Http.Response.Headers
            : Http.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers;
        PutStatus(trailers, Status, ResponseTrailers);
    }

    public void Dispose() => _deadline?.Dispose();

    private static void PutStatus(IHeaderDictionary headers, Status status, Metadata metadata)
    {
        headers[GrpcHeaders.Status] = ((int)status.StatusCode).ToString(CultureInfo.InvariantCulture);
        if (status.Detail.Length > 0)
        {
            headers[GrpcHeaders.Message] = StatusMessage.Encode(status.Detail);
        }

        Put(headers, metadata);
    }

    private static void Put(IHeaderDictionary headers, Metadata metadata)
    {
        foreach (KeyValuePair<string, string> line in GrpcHeaders.Lines(metadata))
        {
            headers.Append(line.Key, line.Value);
        }
    }
}
