namespace Bft.Cli.Output;

/// <summary>One line on a terminal's standard error that is written again and again; nothing where there is no terminal.</summary>
internal sealed class ProgressLine : IAsyncDisposable
{
    private const string ToLineStart = "\r\u001b[K";
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(200);
    private static readonly Lock Gate = new();
    private static bool _isShown;

    private readonly Func<string> _text;
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _showing;

    public ProgressLine(Session session, Func<string> text, bool isHidden = false)
    {
        _text = text;
        bool isWanted = !isHidden && !session.IsJson && !session.IsQuiet && !Console.IsErrorRedirected;
        _showing = isWanted ? ShowAsync() : Task.CompletedTask;
    }

    /// <summary>Writes a whole line to standard error; a progress line gives way to it.</summary>
    public static void Note(string text)
    {
        lock (Gate)
        {
            Console.Error.WriteLine((_isShown ? ToLineStart : "") + text);
            _isShown = false;
        }
    }

    /// <summary>Takes the line away.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _showing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ending.Dispose();
        lock (Gate)
        {
            Console.Error.Write(_isShown ? ToLineStart : "");
            _isShown = false;
        }
    }

    private async Task ShowAsync()
    {
        using PeriodicTimer timer = new(Pace);
        while (await timer.WaitForNextTickAsync(_ending.Token))
        {
            string text = _text();
            lock (Gate)
            {
                int width = Math.Max(20, Console.WindowWidth - 1);
                Console.Error.Write(ToLineStart + (text.Length > width ? text[..width] : text));
                _isShown = true;
            }
        }
    }
}
