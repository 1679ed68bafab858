using System.CommandLine;
using Spectre.Console;

namespace Bft.Sim;

/// <summary>One use of the command: its options, its output, and what ends it.</summary>
internal sealed class SimInvocation(ParseResult parse, Interruption interruption, Func<RunRequest, bool, RunResult> perform)
{
    /// <summary>Performs one run.</summary>
    public Func<RunRequest, bool, RunResult> Perform => perform;

    public bool IsJson { get; } = parse.GetValue(SimOptions.Json);

    /// <summary>Cancelled by SIGINT and SIGTERM.</summary>
    public Interruption Interruption => interruption;

    /// <summary>Standard error, for what moves; plain where it is no terminal.</summary>
    public IAnsiConsole Progress { get; } = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });

    public bool HasProgress => !IsJson && !Console.IsErrorRedirected;

    public T Get<T>(Option<T> option) => parse.GetValue(option)!;

    /// <summary>It stands on the command line.</summary>
    public bool Has(Option option) => parse.GetResult(option) is { Implicit: false };

    /// <summary>A line on standard output, for people only.</summary>
    public void Say(string text)
    {
        if (!IsJson)
        {
            Console.Out.WriteLine(text);
        }
    }

    /// <exception cref="CommandException">The command line is wrong.</exception>
    public static void Refuse(bool isWrong, string problem)
    {
        if (isWrong)
        {
            throw new CommandException(ExitCode.Usage, problem);
        }
    }

    /// <summary>Runs what was asked for, and turns whatever it throws into a sentence and an exit code.</summary>
    public async Task<int> RunAsync(Func<SimInvocation, Func<SimInvocation, Task<int>>> choose)
    {
        try
        {
            return await choose(this)(this);
        }
        catch (OperationCanceledException) when (interruption.Code is { } code)
        {
            return (int)code;
        }
        catch (CommandException error)
        {
            return Report(error.Code, error.Message);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return Report(ExitCode.Machine, error.Message);
        }
        catch (Exception error)
        {
            return Report(ExitCode.Bug, $"this is a bug; please report it with these lines.\n{error}");
        }
    }

    private static int Report(ExitCode code, string message)
    {
        Console.Error.WriteLine($"bft sim: {message}");
        return (int)code;
    }
}
