using System.Diagnostics;
using System.Globalization;
using Bft.Cli.Output;
using Spectre.Console;

namespace Bft.Cli.Demo;

/// <summary>Shows the demo's steps: number, what was done, how long it took, what came of it.</summary>
internal sealed class DemoSteps(Session session)
{
    private const int TitleWidth = 66;

    private int _number;

    /// <summary>Does one step.</summary>
    /// <param name="title">What is done.</param>
    /// <param name="step">Does it, and tells what is worth telling.</param>
    /// <exception cref="CommandException">It failed; the message says which step and why.</exception>
    public async Task DoAsync(string title, Func<Task<string[]>> step)
    {
        _number++;
        long begun = Stopwatch.GetTimestamp();
        try
        {
            string[] details;
            await using (new ProgressLine(session, () => $"{_number,2} … {title}"))
            {
                details = await step();
            }

            Show(title, Stopwatch.GetElapsedTime(begun).TotalSeconds, details);
        }
        catch (OperationCanceledException) when (session.Interrupted.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception error)
        {
            (ExitCode code, string message) = Failures.Of(error);
            throw new CommandException(code == ExitCode.Ok ? ExitCode.Bug : code, $"step {_number} failed ({title}): {message}");
        }
    }

    public void Say(string markup)
    {
        if (!session.IsJson && !session.IsQuiet)
        {
            Screen.Out.MarkupLine(markup);
        }
    }

    /// <summary>Cut between words where the terminal ends, so that what follows stays indented.</summary>
    private static IEnumerable<string> Wrapped(string text)
    {
        int width = Screen.Out.Profile.Width - 6;
        while (text.Length > width && text.LastIndexOf(' ', width) is var cut and > 8)
        {
            yield return text[..cut];
            text = "  " + text[(cut + 1)..];
        }

        yield return text;
    }

    private void Show(string title, double seconds, string[] details)
    {
        if (session.IsJson)
        {
            session.Json.Write("step", fields =>
            {
                fields.WriteNumber("number", _number);
                fields.WriteString("title", title);
                fields.WriteNumber("seconds", Math.Round(seconds, 3));
                fields.WriteStartArray("details");
                Array.ForEach(details, fields.WriteStringValue);
                fields.WriteEndArray();
            });
            return;
        }

        Say(string.Create(CultureInfo.InvariantCulture, $"[green]{_number,2} ✓[/] [bold]{title.EscapeMarkup().PadRight(TitleWidth)}[/] [grey]{seconds,5:0.0} s[/]"));
        foreach (string detail in details)
        {
            foreach (string line in Wrapped(detail))
            {
                Say($"     {line.EscapeMarkup()}");
            }
        }
    }
}
