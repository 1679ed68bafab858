using System.Diagnostics;

namespace Bft.Sim;

/// <summary>`--check-determinism`: one run in two fresh processes, compared line by line, hash and all.</summary>
internal static class DeterminismCheck
{
    public static async Task<int> RunAsync(SimInvocation sim)
    {
        string[] arguments = [.. Environment.GetCommandLineArgs().Skip(1).Where(argument => argument is not "--check-determinism" and not "--log" and not "--json"), "--log", "--no-shrink"];
        string[][] logs = await Task.WhenAll(LogAsync(arguments, sim.Interruption.Token), LogAsync(arguments, sim.Interruption.Token));
        string hash = logs[0].LastOrDefault(line => line.StartsWith("hash ", StringComparison.Ordinal)) ?? "no hash";
        if (Divergence.Between(logs[0], logs[1]) is { } difference)
        {
            Console.Out.WriteLine($"Two processes differ; {difference}");
            return ExitCodes.Of(Divergence.Checker);
        }

        SimInvocation.Refuse(logs[0].Length == 0, "the run wrote no log.");
        Console.Out.WriteLine($"Two processes wrote the same {logs[0].Length:N0} lines; {hash}");
        return (int)ExitCode.Ok;
    }

    private static async Task<string[]> LogAsync(string[] arguments, CancellationToken stop)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!, arguments) { RedirectStandardOutput = true, UseShellExecute = false };
        using Process process = Process.Start(start)!;
        List<string> lines = [];
        while (await process.StandardOutput.ReadLineAsync(stop) is { } line)
        {
            lines.Add(line);
            if (line.StartsWith("hash ", StringComparison.Ordinal))
            {
                // What follows tells real time, which no two runs share.
                break;
            }
        }

        await process.StandardOutput.ReadToEndAsync(stop);
        await process.WaitForExitAsync(stop);
        return [.. lines];
    }
}
