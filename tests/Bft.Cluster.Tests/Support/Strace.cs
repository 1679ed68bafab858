using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Bft.Cluster.Tests.Support;

/// <summary>One system call of a traced process. Its places are lines of the trace: the tracer stops every thread at the beginning and at the end of a call, so a call that begins after another's end in the trace did so.</summary>
/// <param name="Name">As in the manual.</param>
/// <param name="Target">The path or the two addresses of the descriptor that it is about; empty without one.</param>
/// <param name="Arguments">As far as they were printed when it began.</param>
/// <param name="Began">The line on which it began.</param>
/// <param name="Ended">The line on which it ended.</param>
/// <param name="Result">What it returned; negative for an error.</param>
internal sealed record SystemCall(string Name, string Target, string Arguments, int Began, int Ended, long Result);

/// <summary>strace: watches a witness's system calls, or makes them fail.</summary>
internal sealed partial class Strace : IAsyncDisposable
{
    private readonly Process _process;

    private Strace(Process process) => _process = process;

    /// <summary>Why it cannot be used here; null when it can.</summary>
    public static string? WhyMissing { get; } = Probe();

    /// <summary>What stands before a command that is traced from its first call on. The process keeps its number: the tracer is its grandchild.</summary>
    public static string[] Before(string output, string calls) => ["strace", "-D", "-f", "-yy", "-s", "8", "-o", output, "-e", $"trace={calls}"];

    /// <summary>Begins to trace a process that runs, with all its threads.</summary>
    /// <param name="witness">Which.</param>
    /// <param name="inject">As for strace's <c>-e inject=</c>.</param>
    public static async Task<Strace> InjectAsync(WitnessProcess witness, params string[] inject)
    {
        string calls = string.Join(',', inject.Select(one => one[..one.IndexOf(':', StringComparison.Ordinal)]));
        ProcessStartInfo start = new("strace", ["-f", "-p", $"{witness.Id}", "-o", "/dev/null", "-e", $"trace={calls}", .. inject.SelectMany(one => new[] { "-e", $"inject={one}" })])
        {
            RedirectStandardError = true,
        };
        Strace strace = new(Process.Start(start)!);
        string? line = await strace._process.StandardError.ReadLineAsync(ProcessCluster.Deadline);
        Assert.Contains("attached", line, StringComparison.Ordinal);
        _ = strace._process.StandardError.ReadToEndAsync();
        return strace;
    }

    /// <summary>All calls of a finished trace, in the order in which they began; a signal that the process got stands among them under its name.</summary>
    public static async Task<IReadOnlyList<SystemCall>> ReadAsync(string output)
    {
        List<SystemCall> calls = [];
        Dictionary<string, Match> begun = []; // by thread
        Dictionary<string, int> begunAt = [];
        foreach ((int number, string line) in (await File.ReadAllLinesAsync(output)).Index())
        {
            if (Whole().Match(line) is { Success: true } whole)
            {
                calls.Add(Of(whole, number, number, whole.Groups["result"].Value));
            }
            else if (Signal().Match(line) is { Success: true } signal)
            {
                calls.Add(new SystemCall(signal.Groups["name"].Value, "", "", number, number, 0));
            }
            else if (Unfinished().Match(line) is { Success: true } unfinished)
            {
                begun[unfinished.Groups["thread"].Value] = unfinished;
                begunAt[unfinished.Groups["thread"].Value] = number;
            }
            else if (Resumed().Match(line) is { Success: true } resumed && begun.Remove(resumed.Groups["thread"].Value, out Match? start))
            {
                calls.Add(Of(start, begunAt[resumed.Groups["thread"].Value], number, resumed.Groups["result"].Value));
            }
        }

        return [.. calls.OrderBy(call => call.Began)];
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            using Process kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]); // it lets its process go on
            await kill.WaitForExitAsync();
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static SystemCall Of(Match call, int began, int ended, string result)
    {
        string arguments = call.Groups["arguments"].Value;
        return new SystemCall(call.Groups["name"].Value, Descriptor().Match(arguments) is { Success: true } first ? first.Groups["target"].Value : "", arguments, began, ended, long.Parse(result, CultureInfo.InvariantCulture));
    }

    private static string? Probe()
    {
        try
        {
            using Process probe = Process.Start(new ProcessStartInfo("strace", ["-f", "-o", "/dev/null", "true"]) { RedirectStandardError = true })!;
            string error = probe.StandardError.ReadToEnd();
            probe.WaitForExit();
            return probe.ExitCode == 0 ? null : $"strace may not trace here: {error.Trim()}";
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            return $"Needs strace: {missing.Message}";
        }
    }

    [GeneratedRegex(@"^(?<thread>\d+) +(?<name>\w+)\((?<arguments>.*)\) += (?<result>-?\d+)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Whole();

    [GeneratedRegex(@"^(?<thread>\d+) +(?<name>\w+)\((?<arguments>.*) <unfinished \.\.\.>$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"^(?<thread>\d+) +<\.\.\. \w+ resumed>.*\) += (?<result>-?\d+)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Resumed();

    [GeneratedRegex(@"^\d+ +--- (?<name>SIG\w+) ", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Signal();

    [GeneratedRegex(@"^\d+<(?<target>(TCP[^[]*:\[.*?\](?=>))|[^>]*)>", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Descriptor();
}

/// <summary>Needs strace, and the right to trace.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class StraceFactAttribute : FactAttribute
{
    public StraceFactAttribute() => Skip = Strace.WhyMissing;
}

/// <inheritdoc cref="StraceFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
public sealed class StraceTheoryAttribute : TheoryAttribute
{
    public StraceTheoryAttribute() => Skip = Strace.WhyMissing;
}
