using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Bft.Cli.Tests.Support;

/// <summary>How a run of `bft` ended, and what it wrote.</summary>
public sealed record BftResult(int ExitCode, byte[] OutputBytes, string Error)
{
    public string Output => Encoding.UTF8.GetString(OutputBytes);

    /// <summary>The lines of --json output, parsed.</summary>
    public IReadOnlyList<System.Text.Json.JsonElement> Events =>
        [.. Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement)];

    public override string ToString() => $"exit {ExitCode}\n{Output}\n{Error}";
}

/// <summary>The built `bft`, as a process. Killed if it is still running when the test ends.</summary>
public sealed partial class BftProcess : IDisposable
{
    private const int SignalInterrupt = 2;
    private const int SignalTerminate = 15;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly MemoryStream _output = new();
    private readonly StringBuilder _error = new();
    private readonly Task _reading;

    private BftProcess(ProcessStartInfo start)
    {
        _process = Process.Start(start)!;
        _reading = Task.WhenAll(ReadOutputAsync(), ReadErrorAsync());
    }

    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "bft");

    public int Id => _process.Id;

    public StreamWriter Input => _process.StandardInput;

    public static ProcessStartInfo StartInfo(IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        ProcessStartInfo start = new(Program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        // A runtime that is killed leaves its debugging sockets in the temporary folder.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment.Remove("BFT_CLUSTER");
        start.Environment.Remove("BFT_IDENTITY");
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        return start;
    }

    public static BftProcess Start(params string[] arguments) => new(StartInfo(arguments));

    public static BftProcess Start(ProcessStartInfo start) => new(start);

    /// <summary>Runs it with an empty standard input until it ends.</summary>
    public static Task<BftResult> RunAsync(params string[] arguments) => RunAsync(ReadOnlyMemory<byte>.Empty, arguments);

    public static async Task<BftResult> RunAsync(ReadOnlyMemory<byte> input, string[] arguments, params (string Name, string Value)[] environment)
    {
        using BftProcess process = new(StartInfo(arguments, environment));
        await process.FeedAsync(input);
        return await process.EndAsync();
    }

    /// <summary>Runs a line of shell in which $BFT is the program.</summary>
    public static async Task<BftResult> ShellAsync(string script, params (string Name, string Value)[] environment)
    {
        ProcessStartInfo start = StartInfo(["-c", script], [("BFT", Program), .. environment]);
        start.FileName = "/bin/bash";
        using BftProcess process = new(start);
        process.Input.Close();
        return await process.EndAsync();
    }

    public async Task FeedAsync(ReadOnlyMemory<byte> input)
    {
        try
        {
            await Input.BaseStream.WriteAsync(input);
            Input.Close();
        }
        catch (IOException)
        {
            // It ended without reading all of it.
        }
    }

    public void Interrupt() => Assert.Equal(0, Kill(Id, SignalInterrupt));

    public void Terminate() => Assert.Equal(0, Kill(Id, SignalTerminate));

    /// <summary>Waits until some text stands in what it wrote.</summary>
    public Task SeenAsync(string text) => Deadline.UntilAsync(() => Written().Contains(text, StringComparison.Ordinal), () => $"'{text}' is not in: {Written()}");

    public async Task<BftResult> EndAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Limit);
        await _reading.WaitAsync(Limit);
        return new BftResult(_process.ExitCode, _output.ToArray(), _error.ToString());
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    private string Written()
    {
        lock (_error)
        {
            return Encoding.UTF8.GetString(_output.ToArray()) + _error;
        }
    }

    private async Task ReadOutputAsync()
    {
        byte[] buffer = new byte[64 * 1024];
        int read;
        while ((read = await _process.StandardOutput.BaseStream.ReadAsync(buffer)) > 0)
        {
            lock (_error)
            {
                _output.Write(buffer, 0, read);
            }
        }
    }

    private async Task ReadErrorAsync()
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            lock (_error)
            {
                _error.Append(line).Append('\n');
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
