using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Bft.Fuzz.Samples;
using Bft.Wire.Tests;
using Grpc.Core;
using Grpc.Wire;

namespace Bft.Fuzz.Targets;

/// <summary>The length-prefixed messages of a call's body, cut out of buffers of any size: u8 bytes per buffer · body.</summary>
internal sealed class GrpcMessageTarget() : Target<(List<byte[]> Messages, StatusCode? Refusal)>("grpc-message")
{
    private const int MessageBytesMax = 4096;
    private static readonly Marshaller<byte[]> Marshaller = new((_, _) => { }, context => context.PayloadAsNewBuffer());

    /// <summary>Each message is copied; and a reader has a task, buffers of the pipe and a list.</summary>
    public override long AllocatedMax(int length) => base.AllocatedMax(length) + (32L * length) + (16 * 1024);

    public override IEnumerable<Seed> Seeds()
    {
        byte[] three = [0, 0, 0, 0, 0, .. Message("abc"u8), .. Message(new byte[300])];
        return Edges.Of("whole", [0, .. three])
            .Concat(Edges.Of("byte-by-byte", [1, .. three]))
            .Append(new Seed("declared-4-gib", [0, 0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]))
            .Append(new Seed("declared-one-too-many", [0, 0, 0, 0, 0x10, 0x01]))
            .Append(new Seed("compressed", [0, 1, 0, 0, 0, 1, 7]))
            .Append(new Seed("flag-two", [0, 2, 0, 0, 0, 1, 7]))
            .Append(new Seed("empty", [0]));
    }

    protected override (List<byte[]> Messages, StatusCode? Refusal) Decode(byte[] input)
    {
        byte[] body = input.Length == 0 ? [] : input[1..];
        PipeReader pipe = PipeReader.Create(input.Length > 0 && input[0] > 0 ? Pieces.Of(body, input[0]) : new ReadOnlySequence<byte>(body));
        MessageReader<byte[]> reader = new(pipe, Marshaller, MessageBytesMax, encoding: null);
        List<byte[]> messages = [];
        try
        {
            while (Next(reader) is { } message)
            {
                messages.Add(message);
            }

            return (messages, null);
        }
        catch (RpcException refusal)
        {
            return (messages, refusal.StatusCode);
        }
        finally
        {
            reader.Complete();
        }
    }

    protected override Outcome Judge(byte[] input, (List<byte[]> Messages, StatusCode? Refusal) decoded)
    {
        byte[] again = [.. decoded.Messages.SelectMany(message => Message(message))];
        byte[] body = input.Length == 0 ? [] : input[1..];
        OracleException.Require(decoded.Messages.All(message => message.Length <= MessageBytesMax), "A message is longer than the limit.");
        OracleException.RequireSame(body.AsSpan(0, Math.Min(body.Length, again.Length)), again, "A body");
        OracleException.Require((decoded.Refusal is null) == (again.Length == body.Length), "What is left over was neither read nor refused.");
        return (decoded.Refusal is { } code ? Outcome.Rejected((int)code) : Outcome.Accepted).Sized(decoded.Messages.Count);
    }

    private static byte[]? Next(MessageReader<byte[]> reader)
    {
        ValueTask<byte[]?> next = reader.ReadAsync(CancellationToken.None);
        OracleException.Require(next.IsCompleted, "All bytes are there, and the reader waits.");
        return next.AsTask().GetAwaiter().GetResult();
    }

    private static byte[] Message(ReadOnlySpan<byte> message) => [0, (byte)(message.Length >> 24), (byte)(message.Length >> 16), (byte)((message.Length >> 8) & 0xff), (byte)(message.Length & 0xff), .. message];
}

/// <summary>Texts in gRPC's headers: time-outs, status messages, metadata.</summary>
internal sealed class GrpcHeaderTarget() : Target<(Metadata Metadata, bool IsWhole, TimeSpan? Timeout, string Decoded)>("grpc-header")
{
    private static readonly byte[][] Tokens = [.. new[] { "-bin", "grpc-", "99999999H", "1n", "00000001S", "%", "%2", "%zz", "%00", "%C3%A4", "=", "==", ",", "\0", "\r\n", ":", "content-type", "application/grpc", "+proto" }.Select(Encoding.UTF8.GetBytes)];

    public override IReadOnlyList<byte[]> Words => Tokens;

    /// <summary>Headers are text, two bytes a character, and come in several copies; Kestrel refuses more than 16 KiB of them.</summary>
    public override long AllocatedMax(int length) => base.AllocatedMax(length) + (64L * length);

    public override IEnumerable<Seed> Seeds() =>
        new (string Name, string Line)[]
        {
            ("text", "name: value"), ("binary", "key-bin: AAECAw"), ("binary-padded", "key-bin: AAECAw=="), ("binary-two", "key-bin: AAEC,AwQF"), ("binary-bad", "key-bin: A"), ("binary-empty", "key-bin: "),
            ("timeout", "grpc-timeout: 10S"), ("timeout-most", "grpc-timeout: 99999999H"), ("timeout-nano", "grpc-timeout: 1n"), ("timeout-nine", "grpc-timeout: 100000000S"), ("timeout-negative", "grpc-timeout: -1S"),
            ("message", "grpc-message: a%20b%C3%A4"), ("message-cut", "grpc-message: a%2"), ("message-bad", "grpc-message: %zz%"), ("reserved", "grpc-status: 0"), ("type", "content-type: application/grpc+proto"),
            ("line-break", "name: a\r\nforged: b"), ("empty", ""), ("commas", "k-bin: " + new string(',', 2000)),
        }.Select(seed => new Seed(seed.Name, Encoding.Latin1.GetBytes(seed.Line)));

    protected override (Metadata Metadata, bool IsWhole, TimeSpan? Timeout, string Decoded) Decode(byte[] input)
    {
        string line = Encoding.Latin1.GetString(input);
        int colon = line.IndexOf(": ", StringComparison.Ordinal);
        (string name, string value) = colon < 0 ? ("", line) : (line[..colon], line[(colon + 2)..]);
        Metadata metadata = [];
        bool isWhole = GrpcHeaders.TryAdd(metadata, name, value);
        return (metadata, isWhole, Timeouts.TryParse(value, out TimeSpan timeout) ? timeout : null, StatusMessage.Decode(value));
    }

    protected override Outcome Judge(byte[] input, (Metadata Metadata, bool IsWhole, TimeSpan? Timeout, string Decoded) decoded)
    {
        string line = Encoding.Latin1.GetString(input);
        OracleException.Require(StatusMessage.Decode(StatusMessage.Encode(line)) == line, "A status message is another one after its way.");
        OracleException.Require(!StatusMessage.Encode(line).AsSpan().ContainsAnyExceptInRange(' ', '~'), "A status message is sent with what a header may not have.");
        OracleException.Require(decoded.Timeout is not { } timeout || timeout >= TimeSpan.Zero, "A time-out is negative.");
        foreach (Metadata.Entry entry in decoded.Metadata)
        {
            OracleException.Require(entry.IsBinary || !entry.Value.AsSpan().ContainsAnyExceptInRange(' ', '~'), "Metadata have what a header may not have.");
            _ = GrpcHeaders.IsGrpc(entry.Key);
        }

        if (decoded.Timeout is { } given)
        {
            OracleException.Require(Timeouts.TryParse(Timeouts.Encode(given), out TimeSpan again) && again >= given, "A time-out becomes shorter on its way.");
        }

        Outcome outcome = decoded.IsWhole ? Outcome.Accepted : Outcome.Rejected();
        return outcome.Sized(decoded.Metadata.Count).With(decoded.Timeout is null ? 0UL : 1).With(decoded.Decoded.Length == line.Length ? 0UL : 1);
    }
}
