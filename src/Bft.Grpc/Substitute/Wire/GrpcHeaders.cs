using System.Buffers.Text;
using Grpc.Core;

namespace Grpc.Wire;

/// <summary>Header names of gRPC over HTTP/2, and the way from <see cref="Metadata"/> to headers and back.</summary>
internal static class GrpcHeaders
{
    public const string ContentType = "application/grpc";
    public const string Status = "grpc-status";
    public const string Message = "grpc-message";
    public const string Timeout = "grpc-timeout";
    public const string Encoding = "grpc-encoding";
    public const string AcceptEncoding = "grpc-accept-encoding";
    public const string Identity = "identity";

    /// <summary>Most values in one line of a binary header. An empty one is a byte on the wire and a hundred in memory.</summary>
    private const int ValuesPerLineMax = 32;

    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        Status, Message, Timeout, Encoding, AcceptEncoding,
        "content-type", "content-length", "te", "host", "connection", "transfer-encoding", "upgrade", "keep-alive", "proxy-connection",
    };

    /// <summary>The media type is gRPC's, with any message format after a plus sign or a semicolon.</summary>
    public static bool IsGrpc(string? contentType) =>
        contentType is not null
        && contentType.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase)
        && (contentType.Length == ContentType.Length || contentType[ContentType.Length] is '+' or ';');

    /// <summary>Entries as header lines; names that the protocol itself uses are left out.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Lines(Metadata metadata)
    {
        foreach (Metadata.Entry entry in metadata)
        {
            if (!Reserved.Contains(entry.Key))
            {
                // The specification asks senders not to pad.
                yield return new(entry.Key, entry.IsBinary ? Convert.ToBase64String(entry.ValueBytes).TrimEnd('=') : entry.Value);
            }
        }
    }

    /// <summary>Adds a received header.</summary>
    /// <returns>False when a binary value is not base64, or a line has too many; then the call is malformed.</returns>
    /// <remarks>Names that the protocol uses, and text that the specification does not allow, are left out.</remarks>
    public static bool TryAdd(Metadata metadata, string name, string value)
    {
        name = Lower(name);
        if (Reserved.Contains(name) || !Metadata.Entry.IsValidKey(name))
        {
            return true;
        }

        if (!name.EndsWith(Metadata.BinaryHeaderSuffix, StringComparison.Ordinal))
        {
            if (!value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            {
                metadata.Add(name, value);
            }

            return true;
        }

        // One header line may carry several values, separated by commas.
        int values = 0;
        foreach (Range part in value.AsSpan().Split(','))
        {
            if (++values > ValuesPerLineMax || TryDecode(value.AsSpan(part).Trim(' ')) is not { } bytes)
            {
                return false;
            }

            metadata.Add(name, bytes);
        }

        return true;
    }

    private static byte[]? TryDecode(ReadOnlySpan<char> text)
    {
        Span<char> padded = new char[(text.Length + 3) / 4 * 4];
        padded.Fill('=');
        text.CopyTo(padded);
        byte[] bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(padded.Length)];
        return Convert.TryFromBase64Chars(padded, bytes, out int length) ? bytes[..length] : null;
    }

    private static string Lower(string name) => name.ToLowerInvariant();
}
