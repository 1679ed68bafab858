using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Bft.Cli.Output;
using Bft.Client;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol.Bodies;

namespace Bft.Cli.Subscribing;

/// <summary>How messages are written.</summary>
internal enum MessageFormat
{
    /// <summary>A line each, for people: who, where in the stream, what.</summary>
    Text,

    /// <summary>Their bytes, one after the other.</summary>
    Raw,

    /// <summary>An object each.</summary>
    Json,
}

/// <summary>Writes verified messages, and keeps the digest of all their bytes.</summary>
internal sealed class MessageWriter(Stream output, MessageFormat format, ClusterFile cluster) : IDisposable
{
    private readonly BufferedStream _output = new(output, 256 * 1024);
    private readonly IncrementalHash _digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly Dictionary<PublicKey, string> _names = cluster.Clients.ToDictionary(client => client.Key, client => client.Name);
    private JsonLines? _json;

    /// <summary>Messages written, those that cannot be decoded included.</summary>
    public long Count { get; private set; }

    /// <summary>Messages that no receiver can decode (R1).</summary>
    public long Unreadable { get; private set; }

    /// <summary>Payload bytes written.</summary>
    public long Bytes { get; private set; }

    /// <summary>SHA-256 of all payloads, one after the other.</summary>
    public string Sha256 => Convert.ToHexStringLower(_digest.GetCurrentHash());

    public void Write(in Delivery delivery)
    {
        Count++;
        ReadOnlyMemory<byte> payload = delivery.Message.Payload;
        if (delivery.Error == DecodeError.None)
        {
            Bytes += payload.Length;
            _digest.AppendData(payload.Span);
        }
        else
        {
            Unreadable++;
        }

        switch (format)
        {
            case MessageFormat.Raw:
                _output.Write(payload.Span);
                break;
            case MessageFormat.Json:
                WriteJson(delivery);
                break;
            default:
                WriteText(delivery);
                break;
        }
    }

    /// <summary>Nothing is held back any more.</summary>
    public void Flush() => _output.Flush();

    public void Dispose()
    {
        _digest.Dispose();
        _json?.Dispose();
    }

    private string NameOf(PublicKey key) => _names.TryGetValue(key, out string? name) ? name : key.ToString()[..8];

    private void WriteText(in Delivery delivery)
    {
        string text = delivery.Error == DecodeError.None ? Shown(delivery.Message.Payload.Span) : $"(cannot be decoded by any receiver: {delivery.Error})";
        _output.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{NameOf(delivery.Publisher)} {delivery.Sequence.Value}:{delivery.Position}  {text}\n")));
    }

    /// <summary>A payload on one line: what would steer a terminal is shown as a code.</summary>
    private static string Shown(ReadOnlySpan<byte> payload)
    {
        payload = payload.EndsWith("\n"u8) ? payload[..^1] : payload;
        if (!Utf8.IsValid(payload))
        {
            return "0x" + Convert.ToHexStringLower(payload);
        }

        string text = Encoding.UTF8.GetString(payload);
        return text.Any(char.IsControl)
            ? string.Concat(text.Select(letter => letter == '\t' || !char.IsControl(letter) ? letter.ToString() : string.Create(CultureInfo.InvariantCulture, $"\\x{(int)letter:x2}")))
            : text;
    }

    private void WriteJson(in Delivery delivery)
    {
        Delivery one = delivery;
        _json ??= new JsonLines(_output);
        _json.Write("message", fields => Describe(fields, one));
    }

    private void Describe(Utf8JsonWriter fields, in Delivery delivery)
    {
        Message message = delivery.Message;
        fields.WriteString("publisher", delivery.Publisher.ToString());
        fields.WriteString("name", _names.GetValueOrDefault(delivery.Publisher));
        fields.WriteString("stream", delivery.Stream.ToString());
        fields.WriteNumber("sequence", delivery.Sequence.Value);
        fields.WriteNumber("position", delivery.Position);
        fields.WriteBoolean("redelivery", delivery.IsRedelivery);
        fields.WriteBoolean("possibleRepeat", delivery.IsPossibleRepeat);
        if (delivery.Error != DecodeError.None)
        {
            fields.WriteString("error", delivery.Error.ToString());
            return;
        }

        if (message.Subject.Length > 0)
        {
            fields.WriteString("subject", message.Subject);
        }

        if (message.ContentType.Length > 0)
        {
            fields.WriteString("contentType", message.ContentType);
        }

        if (!message.Key.IsEmpty)
        {
            fields.WriteBase64String("keyBase64", message.Key.Span);
        }

        if (Utf8.IsValid(message.Payload.Span))
        {
            fields.WriteString("payload", message.Payload.Span);
        }
        else
        {
            fields.WriteBase64String("payloadBase64", message.Payload.Span);
        }
    }
}
