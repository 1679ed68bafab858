using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Bft.Cli.Output;

/// <summary>One JSON object per line, the first field of which is <c>event</c>. Field names are stable; docs/cli.md lists them.</summary>
internal sealed class JsonLines(Stream output) : IDisposable
{
    private readonly ArrayBufferWriter<byte> _line = new();
    private readonly Utf8JsonWriter _writer = new(Stream.Null, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    public void Write(string kind, Action<Utf8JsonWriter> fields)
    {
        _line.ResetWrittenCount();
        _writer.Reset(_line);
        _writer.WriteStartObject();
        _writer.WriteString("event", kind);
        fields(_writer);
        _writer.WriteEndObject();
        _writer.Flush();
        _line.Write("\n"u8);
        output.Write(_line.WrittenSpan);
    }

    public void Dispose() => _writer.Dispose();
}
