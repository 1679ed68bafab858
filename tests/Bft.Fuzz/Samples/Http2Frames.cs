using System.Text;

namespace Bft.Fuzz.Samples;

/// <summary>A frame of HTTP/2 (RFC 9113, 4.1).</summary>
internal sealed record Http2Frame(byte Type, byte Flags, uint Stream, byte[] Payload)
{
    public const byte Data = 0;
    public const byte Headers = 1;
    public const byte ResetStream = 3;
    public const byte Settings = 4;
    public const byte Ping = 6;
    public const byte GoAway = 7;
    public const byte WindowUpdate = 8;
    public const byte Continuation = 9;
    public const byte EndStream = 1;
    public const byte EndHeaders = 4;
    public const int HeadLength = 9;

    /// <summary>As bytes; with another length than its own where one is given.</summary>
    public byte[] Encode(int? declared = null)
    {
        int length = declared ?? Payload.Length;
        return [(byte)((length >> 16) & 0xff), (byte)((length >> 8) & 0xff), (byte)(length & 0xff), Type, Flags, (byte)(Stream >> 24), (byte)((Stream >> 16) & 0xff), (byte)((Stream >> 8) & 0xff), (byte)(Stream & 0xff), .. Payload];
    }
}

/// <summary>What a client sends on a connection, written without the code under test.</summary>
internal static class Http2Frames
{
    public static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    public static Http2Frame NoSettings => new(Http2Frame.Settings, 0, 0, []);

    public static byte[] Connection(params IEnumerable<Http2Frame> frames) => [.. Preface, .. NoSettings.Encode(), .. frames.SelectMany(frame => frame.Encode())];

    /// <summary>The headers of a gRPC call, each as a literal that enters no table (RFC 7541, 6.2.2).</summary>
    public static Http2Frame Call(uint stream, string path, byte flags = Http2Frame.EndHeaders, params (string Name, string Value)[] more)
    {
        (string Name, string Value)[] headers = [(":method", "POST"), (":scheme", "https"), (":path", path), (":authority", "127.0.0.1"), ("te", "trailers"), ("content-type", "application/grpc"), .. more];
        return new Http2Frame(Http2Frame.Headers, flags, stream, [.. headers.SelectMany(header => Literal(header.Name, header.Value))]);
    }

    /// <summary>A gRPC message in a frame of its own.</summary>
    public static Http2Frame Message(uint stream, byte[] message, bool isLast = true) =>
        new(Http2Frame.Data, isLast ? Http2Frame.EndStream : (byte)0, stream, [0, 0, 0, (byte)(message.Length >> 8), (byte)(message.Length & 0xff), .. message]);

    /// <summary>Preface and frames of a connection; what is no whole frame is left out.</summary>
    public static List<Http2Frame> Split(byte[] bytes)
    {
        List<Http2Frame> frames = [];
        int at = bytes.AsSpan().StartsWith(Preface) ? Preface.Length : 0;
        while (at + Http2Frame.HeadLength <= bytes.Length)
        {
            int length = Math.Min((bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2], bytes.Length - at - Http2Frame.HeadLength);
            uint stream = ((uint)bytes[at + 5] << 24) | ((uint)bytes[at + 6] << 16) | ((uint)bytes[at + 7] << 8) | bytes[at + 8];
            frames.Add(new Http2Frame(bytes[at + 3], bytes[at + 4], stream, bytes.AsSpan(at + Http2Frame.HeadLength, length).ToArray()));
            at += Http2Frame.HeadLength + length;
        }

        return frames;
    }

    /// <summary>A connection with one of its frames changed.</summary>
    public static byte[]? Change(byte[] input, Mutator mutator)
    {
        if (Split(input) is not { Count: > 0 } frames)
        {
            return null;
        }

        Prng random = mutator.Random;
        int at = random.Below(frames.Count);
        Http2Frame frame = frames[at];
        switch (random.Below(9))
        {
            case 0:
                frames.RemoveAt(at);
                break;
            case 1:
                frames.InsertRange(at, Enumerable.Repeat(frame, 1 + random.Below(random.OneIn(8) ? 1000 : 4)));
                break;
            case 2:
                frames[at] = frame with { Type = (byte)random.Below(12) };
                break;
            case 3:
                frames[at] = frame with { Flags = random.Byte() };
                break;
            case 4:
                frames[at] = frame with { Stream = random.Of<uint>([0, 1, 2, 3, 5, 7, int.MaxValue, uint.MaxValue]) };
                break;
            case 5:
                frames.Insert(at, new Http2Frame((byte)random.Below(12), random.Byte(), (uint)random.Below(6), [.. Enumerable.Range(0, random.Below(24)).Select(_ => random.Byte())]));
                break;
            case 6:
                frames[at] = new Http2Frame(frame.Type, frame.Flags, frame.Stream, frame.Encode(1 + random.Below(0xffffff)));
                break;
            default:
                frames[at] = frame with { Payload = mutator.Change(frame.Payload, random.Of(frames).Payload, [], frame.Payload.Length + 300) };
                break;
        }

        return [.. input.AsSpan().StartsWith(Preface) ? Preface : [], .. frames.SelectMany(changed => changed.Encode())];
    }

    public static byte[] Literal(string name, string value) => [0, .. Text(name), .. Text(value)];

    private static byte[] Text(string text)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(text);
        return bytes.Length < 127 ? [(byte)bytes.Length, .. bytes] : [127, .. Mutator.VarInt((ulong)(bytes.Length - 127)), .. bytes];
    }
}
