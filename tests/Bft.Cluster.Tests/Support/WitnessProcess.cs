using System.Diagnostics;
using System.Globalization;

namespace Bft.Cluster.Tests.Support;

/// <summary>A witness in a process of its own: `bft node`, as a user starts it.</summary>
public sealed class WitnessProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<string> _lines = [];

    /// <param name="clusterFile">Its cluster.yaml.</param>
    /// <param name="index">Which witness.</param>
    /// <param name="more">Further options of `bft node`.</param>
    /// <param name="before">What stands before the command: a program that runs it.</param>
    public WitnessProcess(string clusterFile, int index, string[] more, params string[] before)
    {
        _process = new Process { StartInfo = Program(before, ["node", "--cluster", clusterFile, "--index", $"{index}", "--stop-with-input", .. more]), EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, line) => OnLine(line.Data);
        _process.ErrorDataReceived += (_, line) => OnLine(line.Data);
        _process.Exited += (_, _) => _ready.TrySetException(new InvalidOperationException($"Witness {index} ended: {Log}"));
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public Task Ready => _ready.Task.WaitAsync(ProcessCluster.Patience);

    public bool IsRunning => !_process.HasExited;

    public string Log
    {
        get
        {
            lock (_lines)
            {
                return string.Join('\n', _lines);
            }
        }
    }

    /// <summary>The command line that was built with the tests.</summary>
    /// <remarks>SIGHUP means what it means by default, also where the tests themselves were started under nohup.</remarks>
    public static ProcessStartInfo Program(params string[] arguments) => Program([], arguments);

    private static ProcessStartInfo Program(string[] before, string[] arguments) => new("env", ["--default-signal=HUP", .. before, Path.Combine(AppContext.BaseDirectory, "bft"), .. arguments])
    {
        UseShellExecute = false,
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    };

    /// <summary>Resident memory now, and the most since <see cref="ForgetPeak"/>. Unit: bytes.</summary>
    public (long Now, long Peak) Memory()
    {
        string[] lines = File.ReadAllLines($"/proc/{_process.Id}/status");
        return (Of("VmRSS:"), Of("VmHWM:"));

        long Of(string name)
        {
            string line = lines.Single(line => line.StartsWith(name, StringComparison.Ordinal));
            return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture);
        }
    }

    /// <summary>proc(5): writing 5 resets the peak.</summary>
    public void ForgetPeak() => File.WriteAllText($"/proc/{_process.Id}/clear_refs", "5");

    /// <summary>SIGHUP, and waits until the log has one more line with these words.</summary>
    public async Task HangUpAsync(string words)
    {
        int before = CountOf(words);
        await SignalAsync("HUP");
        CancellationToken deadline = ProcessCluster.Deadline;
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(20));
        while (CountOf(words) == before)
        {
            await timer.WaitForNextTickAsync(deadline);
        }
    }

    /// <summary>SIGKILL: no farewell, no flush.</summary>
    public void Kill() => _process.Kill();

    /// <summary>The process number.</summary>
    public int Id => _process.Id;

    /// <summary>SIGSTOP: it stays, holds its connections, and does nothing.</summary>
    public Task FreezeAsync() => SignalAsync("STOP");

    /// <summary>SIGABRT: it crashes.</summary>
    public Task AbortAsync() => SignalAsync("ABRT");

    /// <summary>SIGCONT.</summary>
    public Task ThawAsync() => SignalAsync("CONT");

    /// <summary>Waits until it ends by itself.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> EndedAsync()
    {
        try
        {
            await _process.WaitForExitAsync(ProcessCluster.Deadline);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"It did not end: {Log}");
        }

        return _process.ExitCode;
    }

    /// <summary>Waits until the log has these words.</summary>
    public Task SaysAsync(string words) => Wait.UntilAsync(() => CountOf(words) > 0, $"'{words}' in the log", () => Log);

    public async ValueTask DisposeAsync()
    {
        if (IsRunning)
        {
            Kill();
        }

        await _process.WaitForExitAsync();
        await _ready.Task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _process.Dispose();
    }

    private async Task SignalAsync(string name)
    {
        using Process kill = Process.Start("kill", [$"-{name}", $"{_process.Id}"]);
        await kill.WaitForExitAsync();
    }

    private int CountOf(string words) => Log.Split(words).Length - 1;

    private void OnLine(string? line)
    {
        lock (_lines)
        {
            _lines.Add(line ?? "");
        }

        if (line?.Contains(" ready on ", StringComparison.Ordinal) == true)
        {
            _ready.TrySetResult();
        }
    }
}
