using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;
using Grpc.Wire;

namespace Grpc.Net.Client;

/// <summary>What a response's headers and trailers say about the call.</summary>
internal static class ResponseHead
{
    /// <summary>The end of a call that has no messages: trailers only, or an answer that is not gRPC's.</summary>
    public static (Status Status, Metadata Trailers)? EarlyEnd(HttpResponseMessage response)
    {
        if (response.Headers.NonValidated.Contains(GrpcHeaders.Status))
        {
            return StatusOf(response, response.Headers);
        }

        if (response.StatusCode != HttpStatusCode.OK)
        {
            return (new Status(OfHttp(response.StatusCode), $"The server answered with HTTP status {(int)response.StatusCode}."), []);
        }

        string? contentType = response.Content.Headers.NonValidated.TryGetValues("Content-Type", out HeaderStringValues values) ? values.ToString() : null;
        return GrpcHeaders.IsGrpc(contentType)
            ? null
            : (new Status(StatusCode.Unknown, $"The server answered with content type '{contentType}' instead of {GrpcHeaders.ContentType}."), []);
    }

    public static Metadata Headers(HttpResponseMessage response)
    {
        Metadata metadata = [];
        Collect(response.Headers, metadata);
        Collect(response.Content.Headers, metadata);
        return metadata;
    }

    /// <summary>The status and metadata in trailers, which stand in the headers when there are no messages.</summary>
    public static (Status Status, Metadata Trailers) StatusOf(HttpResponseMessage response, HttpResponseHeaders trailers)
    {
        Metadata metadata = [];
        bool isWhole = Collect(trailers, metadata);
        if (!trailers.NonValidated.TryGetValues(GrpcHeaders.Status, out HeaderStringValues code))
        {
            return (new Status(OfHttp(response.StatusCode), "The server ended the call without a status."), metadata);
        }

        if (!int.TryParse(code.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out int number))
        {
            return (new Status(StatusCode.Unknown, "The server sent a status that is not a number."), metadata);
        }

        if (!isWhole)
        {
            return (new Status(StatusCode.Internal, "The server sent binary metadata that is not base64."), metadata);
        }

        string detail = trailers.NonValidated.TryGetValues(GrpcHeaders.Message, out HeaderStringValues message) ? StatusMessage.Decode(message.ToString()) : "";
        return (new Status(number <= (int)StatusCode.Unauthenticated ? (StatusCode)number : StatusCode.Unknown, detail), metadata);
    }

    /// <summary>The table for answers without a gRPC status, from gRPC's document on HTTP status codes.</summary>
    private static StatusCode OfHttp(HttpStatusCode code) => (int)code switch
    {
        400 => StatusCode.Internal,
        401 => StatusCode.Unauthenticated,
        403 => StatusCode.PermissionDenied,
        404 => StatusCode.Unimplemented,
        429 or 502 or 503 or 504 => StatusCode.Unavailable,
        _ => StatusCode.Unknown,
    };

    private static bool Collect(HttpHeaders headers, Metadata metadata)
    {
        bool isWhole = true;
        foreach (KeyValuePair<string, HeaderStringValues> header in headers.NonValidated)
        {
            foreach (string value in header.Value)
            {
                isWhole &= GrpcHeaders.TryAdd(metadata, header.Key, value);
            }
        }

        return isWhole;
    }
}
