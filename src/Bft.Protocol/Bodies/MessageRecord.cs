using System.Text;

namespace Bft.Protocol.Bodies;

/// <summary>A message inside a chunk: length ‖ version ‖ key ‖ content type ‖ headers ‖ payload. Its subject is the chunk's.</summary>
internal static class MessageRecord
{
    private const byte Version = 1;

    /// <summary>Why this message cannot be published, as a sentence; null when it can.</summary>
    public static string? WhyIllegal(in Message message, int messageBytesMax)
    {
        if (Encoding.UTF8.GetByteCount(message.ContentType) > FormatLimits.ContentTypeBytesMax)
        {
            return $"A content type has at most {FormatLimits.ContentTypeBytesMax} bytes.";
        }

        if (Encoding.UTF8.GetByteCount(message.Subject) > FormatLimits.SubjectBytesMax)
        {
            return $"A subject has at most {FormatLimits.SubjectBytesMax} bytes.";
        }

        if (message.Headers is { Count: > FormatLimits.HeaderCountMax })
        {
            return $"A message has at most {FormatLimits.HeaderCountMax} headers.";
        }

        long length = (long)message.Payload.Length + message.Key.Length;
        foreach (MessageHeader header in message.Headers ?? [])
        {
            if (string.IsNullOrEmpty(header.Name))
            {
                return "A header has a name.";
            }

            length += Encoding.UTF8.GetMaxByteCount(header.Name.Length) + (long)header.Value.Length;
        }

        return length > messageBytesMax || FullLength(message) > messageBytesMax
            ? $"The message is larger than the cluster's limit of {messageBytesMax} bytes (its record counts: payload, key, headers and their lengths)."
            : null;
    }

    /// <summary>Length of the record, its own length field included.</summary>
    public static int FullLength(in Message message)
    {
        int length = InnerLength(message);
        return VarInt.LengthOf(length) + length;
    }

    public static int Write(Span<byte> destination, in Message message)
    {
        int position = VarInt.Write(destination, InnerLength(message));
        destination[position++] = Version;
        position += WriteField(destination[position..], message.Key.Span);
        position += WriteText(destination[position..], message.ContentType);
        position += VarInt.Write(destination[position..], message.Headers?.Count ?? 0);
        if (message.Headers is { } headers)
        {
            for (int i = 0; i < headers.Count; i++)
            {
                position += WriteText(destination[position..], headers[i].Name);
                position += WriteField(destination[position..], headers[i].Value.Span);
            }
        }

        message.Payload.Span.CopyTo(destination[position..]);
        return position + message.Payload.Length;
    }

    /// <summary>Reads the record at <paramref name="position"/> and moves past it; the message refers to the chunk's memory.</summary>
    public static bool TryRead(ReadOnlyMemory<byte> chunk, ref int position, string subject, out Message message)
    {
        message = default;
        ReadOnlySpan<byte> span = chunk.Span;
        if (!VarInt.TryRead(span, ref position, out int length) || length < 4 || length > span.Length - position)
        {
            return false;
        }

        int end = position + length;
        span = span[..end];
        if (span[position++] != Version
            || !TryReadField(span, ref position, out Range key)
            || !TryReadField(span, ref position, out Range contentType)
            || !TryReadHeaders(chunk, span, ref position, out MessageHeader[]? headers)
            || !System.Text.Unicode.Utf8.IsValid(span[contentType]))
        {
            return false;
        }

        message = new Message(chunk[position..end])
        {
            Key = chunk[key],
            ContentType = contentType.Start.Equals(contentType.End) ? string.Empty : Encoding.UTF8.GetString(span[contentType]),
            Headers = headers,
            Subject = subject,
        };
        position = end;
        return true;
    }

    private static int InnerLength(in Message message)
    {
        int length = 1 + FieldLength(message.Key.Length) + FieldLength(Encoding.UTF8.GetByteCount(message.ContentType))
            + VarInt.LengthOf(message.Headers?.Count ?? 0) + message.Payload.Length;
        if (message.Headers is { } headers)
        {
            for (int i = 0; i < headers.Count; i++)
            {
                length += FieldLength(Encoding.UTF8.GetByteCount(headers[i].Name)) + FieldLength(headers[i].Value.Length);
            }
        }

        return length;
    }

    private static int FieldLength(int length) => VarInt.LengthOf(length) + length;

    private static int WriteField(Span<byte> destination, ReadOnlySpan<byte> bytes)
    {
        int position = VarInt.Write(destination, bytes.Length);
        bytes.CopyTo(destination[position..]);
        return position + bytes.Length;
    }

    private static int WriteText(Span<byte> destination, string text)
    {
        if (text.Length == 0)
        {
            destination[0] = 0;
            return 1;
        }

        int position = VarInt.Write(destination, Encoding.UTF8.GetByteCount(text));
        return position + Encoding.UTF8.GetBytes(text, destination[position..]);
    }

    private static bool TryReadField(ReadOnlySpan<byte> span, ref int position, out Range field)
    {
        field = default;
        if (!VarInt.TryRead(span, ref position, out int length) || length > span.Length - position)
        {
            return false;
        }

        field = position..(position + length);
        position += length;
        return true;
    }

    private static bool TryReadHeaders(ReadOnlyMemory<byte> chunk, ReadOnlySpan<byte> span, ref int position, out MessageHeader[]? headers)
    {
        headers = null;
        if (!VarInt.TryRead(span, ref position, out int count) || count > FormatLimits.HeaderCountMax)
        {
            return false;
        }

        if (count == 0)
        {
            return true;
        }

        headers = new MessageHeader[count];
        for (int i = 0; i < count; i++)
        {
            if (!TryReadField(span, ref position, out Range name)
                || !TryReadField(span, ref position, out Range value)
                || !System.Text.Unicode.Utf8.IsValid(span[name]))
            {
                return false;
            }

            headers[i] = new MessageHeader(Encoding.UTF8.GetString(span[name]), chunk[value]);
        }

        return true;
    }
}
