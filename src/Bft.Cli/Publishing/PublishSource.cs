using System.Globalization;
using System.Text;
using Bft.Cli.Output;

namespace Bft.Cli.Publishing;

/// <summary>What is published: the lines of a file, or one message.</summary>
/// <param name="session">Has --lines, --message or --file; with none of them one message is read from standard input.</param>
internal sealed class PublishSource(Session session)
{
    private const string StandardInput = "-";

    /// <summary>Why the options make no source; null when they do.</summary>
    public string? WhyUnclear()
    {
        int given = (Lines is null ? 0 : 1) + (Message is null ? 0 : 1) + (OneFile is null ? 0 : 1);
        string? path = Lines ?? OneFile;
        return given > 1 ? "choose one of --lines, --message and --file."
            : path is not null && path != StandardInput && !File.Exists(path) ? $"{path}: there is no such file."
            : null;
    }

    /// <summary>Somebody types it: what is written beside would be in the way.</summary>
    public bool IsTyped => (Lines ?? OneFile ?? StandardInput) == StandardInput && Message is null && !Console.IsInputRedirected;

    private string? Lines => session.Get(PublishOptions.Lines);

    private string? Message => session.Get(PublishOptions.Message);

    private string? OneFile => session.Get(PublishOptions.OneFile);

    /// <summary>Sends it all; what cannot be sent ends it.</summary>
    /// <returns>Why it ended early; null when all was sent.</returns>
    public Task<string?> SendAsync(PublishRun run, int messageBytesMax, CancellationToken cancellationToken) =>
        Lines is { } path ? SendLinesAsync(path, run, messageBytesMax, cancellationToken) : SendOneAsync(run, messageBytesMax, cancellationToken);

    private static async Task<string?> SendLinesAsync(string path, PublishRun run, int messageBytesMax, CancellationToken cancellationToken)
    {
        await using Stream input = Open(path);
        LineReader lines = new(input, messageBytesMax);
        try
        {
            do
            {
                while (lines.TryNext(out ReadOnlyMemory<byte> line))
                {
                    ValueTask sending = run.SendAsync(line, cancellationToken);
                    if (!sending.IsCompletedSuccessfully)
                    {
                        await sending;
                    }
                }

                if (lines.IsTooLong)
                {
                    return TooLong(lines.Number + 1, messageBytesMax);
                }
            }
            while (await lines.FillAsync(cancellationToken));
            return null;
        }
        catch (ArgumentException)
        {
            return TooLong(lines.Number, messageBytesMax);
        }
    }

    private async Task<string?> SendOneAsync(PublishRun run, int messageBytesMax, CancellationToken cancellationToken)
    {
        byte[]? payload = Message is { } text ? Encoding.UTF8.GetBytes(text) : await ReadOneAsync(OneFile ?? StandardInput, messageBytesMax, cancellationToken);
        string tooLong = $"the message is longer than the cluster's limit of {messageBytesMax} bytes (a few of them are the record's own).";
        if (payload is null)
        {
            return tooLong;
        }

        if (payload.Length == 0 && Message is null && OneFile is null)
        {
            throw new CommandException(ExitCode.Usage, "standard input is empty, so there is nothing to publish. Pipe a message in, or use --message, --file or --lines.");
        }

        try
        {
            await run.SendAsync(payload, cancellationToken);
            return null;
        }
        catch (ArgumentException)
        {
            return tooLong;
        }
    }

    /// <summary>All of a file; null when it is longer than may be.</summary>
    private async Task<byte[]?> ReadOneAsync(string path, int bytesMax, CancellationToken cancellationToken)
    {
        if (path == StandardInput && !Console.IsInputRedirected)
        {
            session.Note("Reading one message from the terminal; end it with Ctrl-D.");
        }

        await using Stream input = Open(path);
        using MemoryStream content = new();
        byte[] buffer = new byte[64 * 1024];
        while (true)
        {
            // Reading a terminal or a pipe cannot be cancelled, only left alone.
            int read = await input.ReadAsync(buffer, cancellationToken).AsTask().WaitAsync(cancellationToken);
            if (read == 0)
            {
                return content.ToArray();
            }

            content.Write(buffer, 0, read);
            if (content.Length > bytesMax)
            {
                return null;
            }
        }
    }

    private static Stream Open(string path) => path == StandardInput
        ? StandardDescriptors.OpenInput()
        : new FileStream(path, new FileStreamOptions { BufferSize = 0, Options = FileOptions.SequentialScan });

    private static string TooLong(long number, int messageBytesMax) =>
        string.Create(CultureInfo.InvariantCulture, $"line {number} is longer than the cluster's limit of {messageBytesMax} bytes (a few of them are the record's own), and is not published; nor is what follows.");
}
