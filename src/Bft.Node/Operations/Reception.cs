using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Bft.Node;

/// <summary>Every request passes here, before anybody reads of it, and once more when it has ended.</summary>
internal sealed class Reception(Lobby lobby)
{
    private const string StatusHeader = "grpc-status";

    public async Task ServeAsync(HttpContext http, RequestDelegate next)
    {
        Visitor visitor = http.Features.GetRequiredFeature<Visitor>();
        int stream = http.Features.GetRequiredFeature<IHttp2StreamIdFeature>().StreamId;
        BodyReader body = new(http.Request.BodyReader, visitor, stream);
        visitor.Begin(stream);
        if (!lobby.TryBegin(visitor, body, out string? refusal))
        {
            visitor.End(stream);
            http.Response.ContentType = "application/grpc";
            http.Response.Headers[StatusHeader] = "8"; // RESOURCE_EXHAUSTED
            http.Response.Headers["grpc-message"] = refusal;
            return;
        }

        http.Features.Set<IRequestBodyPipeFeature>(body);
        try
        {
            await next(http);
        }
        finally
        {
            lobby.End(visitor, body);
            visitor.End(stream);
            Judge(visitor, http);
        }
    }

    /// <summary>How a call ended says whether its caller keeps to the protocol.</summary>
    private void Judge(Visitor visitor, HttpContext http)
    {
        string? status = http.Response.Headers[StatusHeader];
        status ??= http.Features.Get<IHttpResponseTrailersFeature>()?.Trailers[StatusHeader];
        switch (status)
        {
            case "3": // INVALID_ARGUMENT
                lobby.Offend(visitor, Offence.Hostile, "messages that no client sends");
                break;
            case "8" or "13": // RESOURCE_EXHAUSTED, INTERNAL: too large, too many, cut off, compressed
                lobby.Offend(visitor, Offence.Unfinished, "calls that break a limit");
                break;
            default:
                break;
        }
    }
}
