using System.Text;
using Bft.Cli.Publishing;

namespace Bft.Cli.Tests.Publishing;

public sealed class LineReaderTests
{
    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("a")]
    [InlineData("a\n")]
    [InlineData("a\r\nb")]
    [InlineData("\n\n\na\n\n")]
    [InlineData("\0\u00ff\n\n")]
    public async Task Lines_are_the_input_cut_behind_line_feeds(string text)
    {
        byte[] input = Encoding.Latin1.GetBytes(text);

        List<byte[]> lines = await LinesOf(new MemoryStream(input), 100);

        Assert.Equal(input, lines.SelectMany(line => line));
        Assert.All(lines.SkipLast(1), line => Assert.Equal((byte)'\n', line[^1]));
        Assert.All(lines, line => Assert.Equal(line.Length - 1, Array.IndexOf(line, (byte)'\n') is var feed and >= 0 ? feed : line.Length - 1));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(65_536)]
    [InlineData(int.MaxValue)]
    public async Task Cuts_do_not_depend_on_how_the_bytes_come(int pieceBytes)
    {
        Random random = new(5);
        byte[] input = new byte[pieceBytes == 1 ? 30_000 : 3_000_000];
        random.NextBytes(input);
        input.AsSpan(1000, 20_000).Fill((byte)'x');

        List<byte[]> lines = await LinesOf(new PieceStream(input, pieceBytes), int.MaxValue);

        Assert.Equal(input, lines.SelectMany(line => line).ToArray());
        Assert.Equal(input.Count(letter => letter == '\n') + (input[^1] == '\n' ? 0 : 1), lines.Count);
    }

    [Fact]
    public async Task A_line_that_never_ends_is_not_waited_for()
    {
        byte[] start = "short\n"u8.ToArray();
        LineReader reader = new(new PieceStream([.. start, .. new byte[5_000_000]], 4096), lineBytesMax: 10_000);
        long lines = 0;
        int fills = 0;
        do
        {
            while (reader.TryNext(out _))
            {
                lines++;
            }

            fills++;
        }
        while (!reader.IsTooLong && await reader.FillAsync(CancellationToken.None));

        Assert.True(reader.IsTooLong);
        Assert.Equal(1, lines);
        Assert.Equal(1, reader.Number);
        Assert.True(fills < 10, $"{fills} reads for a line of 10,000 bytes.");
    }

    private static async Task<List<byte[]>> LinesOf(Stream input, int lineBytesMax)
    {
        LineReader reader = new(input, lineBytesMax);
        List<byte[]> lines = [];
        do
        {
            while (reader.TryNext(out ReadOnlyMemory<byte> line))
            {
                lines.Add(line.ToArray());
            }
        }
        while (await reader.FillAsync(CancellationToken.None));
        Assert.Equal(lines.Count, reader.Number);
        return lines;
    }

    /// <summary>Gives at most so many bytes at a time, as a pipe does.</summary>
    private sealed class PieceStream(byte[] content, int pieceBytes) : MemoryStream(content)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer.Length > pieceBytes ? buffer[..pieceBytes] : buffer, cancellationToken);
    }
}
