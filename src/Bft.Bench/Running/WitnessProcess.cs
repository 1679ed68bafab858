using System.Diagnostics;
using System.Globalization;

namespace Bft.Bench.Running;

/// <summary>A witness in a process of its own: this program, run as `bft node`.</summary>
public sealed class WitnessProcess : IDisposable
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

    /// <summary>Starts it. It ends when this process does, however that comes about: its standard input is ours.</summary>
    public static WitnessProcess Start(string clusterFile, int index) =>
        Start(index, "node", "--cluster", clusterFile, "--index", index.ToString(CultureInfo.InvariantCulture), "--stop-with-input");

    /// <summary>Starts something else in a witness's place, or a witness in its own way. It says "ready", and ends when its input does.</summary>
    public static WitnessProcess Start(int index, params IEnumerable<string> arguments)
    {
        Process process = new() { StartInfo = BftProgram.Start(arguments), EnableRaisingEvents = true };
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
