using System.Buffers.Text;

namespace Bft.Bench.Peers;

/// <summary>What a line from a NATS server is.</summary>
internal enum NatsKind
{
    /// <summary>A message: MSG, or HMSG with headers.</summary>
    Message,

    /// <summary>The server describes itself, or says +OK or PONG.</summary>
    Note,

    /// <summary>The server wants a PONG.</summary>
    Ping,

    /// <summary>-ERR.</summary>
    Error,
}

/// <summary>One piece of what a NATS server sends (docs.nats.io/reference/reference-protocols/nats-protocol); points into the buffer that it was read from.</summary>
internal readonly ref struct NatsFrame
{
    /// <summary>A line has all but the payload. Unit: bytes.</summary>
    private const int LineMax = 64 * 1024;

    private const int Arguments = 5; // HMSG subject sid [reply] headers total

    public NatsKind Kind { get; private init; }

    public int Subscription { get; private init; }

    public ReadOnlySpan<byte> Subject { get; private init; }

    /// <summary>Where an answer goes; empty when none is wanted.</summary>
    public ReadOnlySpan<byte> Reply { get; private init; }

    /// <summary>With the line of version and status; empty without headers.</summary>
    public ReadOnlySpan<byte> Headers { get; private init; }

    /// <summary>Of a message; of everything else its line.</summary>
    public ReadOnlySpan<byte> Payload { get; private init; }

    /// <summary>Reads one.</summary>
    /// <returns>How many bytes it took; 0 when it is not all there.</returns>
    /// <exception cref="PeerFailedException">This is no NATS.</exception>
    public static int Read(ReadOnlySpan<byte> bytes, out NatsFrame frame)
    {
        frame = default;
        int end = bytes[..Math.Min(bytes.Length, LineMax)].IndexOf("\r\n"u8);
        if (end < 0)
        {
            return bytes.Length < LineMax ? 0 : throw new PeerFailedException("The NATS server sends a line without an end.");
        }

        ReadOnlySpan<byte> line = bytes[..end];
        if (line.StartsWith("MSG "u8) || line.StartsWith("HMSG "u8))
        {
            return ReadMessage(bytes, line, out frame);
        }

        NatsKind kind = line.StartsWith("PING"u8) ? NatsKind.Ping : line.StartsWith("-ERR"u8) ? NatsKind.Error : NatsKind.Note;
        frame = new NatsFrame { Kind = kind, Payload = line };
        return end + 2;
    }

    private static int ReadMessage(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> line, out NatsFrame frame)
    {
        frame = default;
        bool hasHeaders = line[0] == (byte)'H';
        Span<Range> words = stackalloc Range[Arguments];
        int count = 0;
        for (int at = hasHeaders ? 5 : 4; at < line.Length && count < Arguments;)
        {
            int length = line[at..].IndexOf((byte)' ');
            int to = length < 0 ? line.Length : at + length;
            words[count++] = at..to;
            at = to + 1;
        }

        int numbers = hasHeaders ? 2 : 1;
        if (count - numbers is not (2 or 3))
        {
            throw new PeerFailedException("The NATS server sends a message that cannot be read.");
        }

        int total = Number(line[words[count - 1]]);
        int headers = hasHeaders ? Number(line[words[count - 2]]) : 0;
        int begin = line.Length + 2;
        if (headers > total)
        {
            throw new PeerFailedException("The NATS server sends headers that are longer than their message.");
        }

        if (bytes.Length - begin - 2 < total)
        {
            return 0;
        }

        frame = new NatsFrame
        {
            Kind = NatsKind.Message,
            Subject = line[words[0]],
            Subscription = Number(line[words[1]]),
            Reply = count - numbers == 3 ? line[words[2]] : default,
            Headers = bytes.Slice(begin, headers),
            Payload = bytes.Slice(begin + headers, total - headers),
        };
        return begin + total + 2;
    }

    private static int Number(ReadOnlySpan<byte> digits) =>
        Utf8Parser.TryParse(digits, out int number, out int used) && used == digits.Length && number >= 0
            ? number
            : throw new PeerFailedException("The NATS server sends a length that is no number.");
}
