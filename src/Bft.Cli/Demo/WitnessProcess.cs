using System.Diagnostics;
using System.Globalization;

namespace Bft.Cli.Demo;

/// <summary>A witness in a process of its own: this program, run as `bft node`.</summary>
internal sealed class WitnessProcess : IDisposable
{
    private readonly Process _process;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<string> _lines = [];

    private WitnessProcess(int index, Process process)
    {
        Index = index;
        _process = process;
    }

    public int Index { get; }

    public int Id => _process.Id;

    /// <summary>What this program is started with: its own file, behind `dotnet` if that is how it was started.</summary>
    public static ProcessStartInfo Start(params string[] arguments)
    {
        string program = Environment.ProcessPath ?? throw new InvalidOperationException("The path of this program is not known.");
        bool isHosted = string.Equals(Path.GetFileNameWithoutExtension(program), "dotnet", StringComparison.Ordinal);
        string[] all = isHosted ? [Path.Combine(AppContext.BaseDirectory, "bft.dll"), .. arguments] : arguments;
        ProcessStartInfo start = new(program, all) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };

        // A runtime that is killed leaves its debugging sockets in the temporary folder.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        return start;
    }

    /// <summary>Starts it. It ends when this process does, however that comes about: its standard input is ours.</summary>
    public static WitnessProcess Start(string clusterFile, int index)
    {
        Process process = new()
        {
            StartInfo = Start("node", "--cluster", clusterFile, "--index", index.ToString(CultureInfo.InvariantCulture), "--stop-with-input"),
            EnableRaisingEvents = true,
        };
        WitnessProcess witness = new(index, process);
        process.OutputDataReceived += (_, line) => witness.OnLine(line.Data);
        process.ErrorDataReceived += (_, line) => witness.OnLine(line.Data);
        process.Exited += (_, _) => witness._ready.TrySetException(new InvalidOperationException($"witness {index} ended: {witness.LastLine}"));
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return witness;
    }

    /// <summary>Completes when it serves.</summary>
    public Task WhenReadyAsync(CancellationToken cancellationToken) => _ready.Task.WaitAsync(cancellationToken);

    /// <summary>SIGKILL: no farewell, no flush.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Asks it to end, and waits until it has.</summary>
    public async Task StopAsync(TimeSpan limit)
    {
        if (_process.HasExited)
        {
            return;
        }

        _process.StandardInput.Close();
        using CancellationTokenSource patience = new(limit);
        await _process.WaitForExitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_process.HasExited)
        {
            await KillAsync();
        }
    }

    public void Dispose() => _process.Dispose();

    private string LastLine
    {
        get
        {
            lock (_lines)
            {
                return _lines.Count == 0 ? "it said nothing." : _lines[^1];
            }
        }
    }

    private void OnLine(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_lines)
        {
            _lines.Add(line);
        }

        if (line.Contains(" ready ", StringComparison.Ordinal))
        {
            _ready.TrySetResult();
        }
    }
}
