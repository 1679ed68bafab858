using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;

namespace Bft.Grpc.Tests.Substitute;

/// <summary>Requests made by hand, as a broken or hostile client would send them.</summary>
internal static class RawCall
{
    /// <summary>A length-prefixed message, possibly with a flag or a length that lies.</summary>
    public static byte[] Frame(byte[] message, byte flag = 0, uint? length = null)
    {
        byte[] frame = new byte[5 + message.Length];
        frame[0] = flag;
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), length ?? (uint)message.Length);
        message.CopyTo(frame, 5);
        return frame;
    }

    public static async Task<Answer> PostAsync(
        EchoHost host, string method, byte[] body, string contentType = "application/grpc", params IEnumerable<(string Name, string Value)> headers)
    {
        using SocketsHttpHandler handler = new();
        using HttpMessageInvoker http = new(handler);
        using HttpRequestMessage request = new(HttpMethod.Post, new Uri(host.Address, "/bft.test.v1.Echo/" + method))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(body) { Headers = { ContentType = MediaTypeHeaderValue.Parse(contentType) } },
        };
        request.Headers.TryAddWithoutValidation("te", "trailers");
        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using CancellationTokenSource patience = new(EchoHost.Patience);
        using HttpResponseMessage response = await http.SendAsync(request, patience.Token);
        byte[] content = await response.Content.ReadAsByteArrayAsync(patience.Token);
        string? Either(string name) =>
            response.TrailingHeaders.TryGetValues(name, out IEnumerable<string>? trailer) ? string.Join(',', trailer)
            : response.Headers.TryGetValues(name, out IEnumerable<string>? header) ? string.Join(',', header)
            : null;
        return new Answer(response.StatusCode, Either("grpc-status"), Either("grpc-message"), Either("grpc-accept-encoding"), content);
    }

    public sealed record Answer(HttpStatusCode Http, string? Status, string? Message, string? AcceptEncoding, byte[] Body);
}
