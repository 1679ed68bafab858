using System.CommandLine;
using Bft.Cli.Output;

namespace Bft.Cli;

/// <summary>One run of a command: its options, its output, and what ends it.</summary>
internal sealed class Session(ParseResult parse, Interruption interruption)
{
    private JsonLines? _json;

    /// <summary>One object per line on standard output instead of sentences.</summary>
    public bool IsJson { get; } = parse.GetValue(Options.Json);

    /// <summary>Sentences are left out; errors are not.</summary>
    public bool IsQuiet { get; } = parse.GetValue(Options.Quiet);

    public JsonLines Json => _json ??= new JsonLines(StandardOutput.Open());

    /// <summary>Cancelled by SIGINT and SIGTERM.</summary>
    public CancellationToken Interrupted => interruption.Token;

    public T Get<T>(Option<T> option) => parse.GetValue(option)!;

    public T Get<T>(Argument<T> argument) => parse.GetValue(argument)!;

    public bool Has(Option option) => parse.GetResult(option) is { Implicit: false };

    /// <summary>A sentence on standard output, for people only.</summary>
    public void Say(string text)
    {
        if (!IsJson && !IsQuiet)
        {
            Console.Out.WriteLine(text);
        }
    }

    /// <summary>A sentence on standard error, for people only.</summary>
    public void Note(string text)
    {
        if (!IsJson && !IsQuiet)
        {
            ProgressLine.Note(text);
        }
    }

    /// <summary>Makes a command run <paramref name="run"/>, and turns whatever it throws into a sentence and an exit code.</summary>
    public static void Bind(Command command, Interruption interruption, Func<Session, Task<ExitCode>> run) =>
        command.SetAction(async (parse, _) =>
        {
            Session session = new(parse, interruption);
            try
            {
                return (int)await run(session);
            }
            catch (ClosedOutputException)
            {
                // The reader of our output has seen enough (`| head`), which is no error.
                return (int)ExitCode.Ok;
            }
            catch (OperationCanceledException) when (interruption.Code is { } code)
            {
                return (int)code;
            }
            catch (Exception error)
            {
                (ExitCode code, string message) = Failures.Of(error);
                session.Report(command.Name, code, message);
                return (int)code;
            }
        });

    private void Report(string command, ExitCode code, string message)
    {
        ProgressLine.Note($"bft {command}: {message}");
        if (!IsJson)
        {
            return;
        }

        try
        {
            Json.Write("error", fields =>
            {
                fields.WriteNumber("code", (int)code);
                fields.WriteString("message", message);
            });
        }
        catch (ClosedOutputException)
        {
            // Nobody reads it; the exit code says it too.
        }
    }
}
