using System.Diagnostics;

namespace Bft.Bench.Running;

/// <summary>The `bft` program that this process is, or has beside it, as something to start.</summary>
public static class BftProgram
{
    /// <summary>What it is started with: its own file, behind `dotnet` if that is how this process was started.</summary>
    public static ProcessStartInfo Start(params IEnumerable<string> arguments)
    {
        string program = Environment.ProcessPath ?? throw new InvalidOperationException("The path of this program is not known.");
        bool isHosted = string.Equals(Path.GetFileNameWithoutExtension(program), "dotnet", StringComparison.Ordinal);
        IEnumerable<string> all = isHosted ? [Path.Combine(AppContext.BaseDirectory, "bft.dll"), .. arguments] : arguments;
        ProcessStartInfo start = new(program, all) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };

        // A runtime that is killed leaves its debugging sockets in the temporary folder.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        return start;
    }
}
