using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Bft.Bench.Measuring;

namespace Bft.Bench.Peers;

/// <summary>A server of somebody else's, and whatever it starts in turn, in a session of its own.</summary>
/// <remarks>It ends when this process does, however that comes about: a shell beside it reads a pipe from us, and kills the session when the pipe ends.</remarks>
internal sealed class ServerProcess : IAsyncDisposable
{
    private const string Script = """
        exec 3<&0
        log=$1
        shift
        "$@" </dev/null >"$log" 2>&1 3<&- &
        server=$!
        { cat <&3 >/dev/null; kill -KILL 0; } 2>/dev/null &
        wait $server
        kill -KILL 0
        """;

    private const int StateField = 0; // as ProcessUsage.FieldsOf counts; proc(5)
    private const int SessionField = 3;
    private const int LogEnd = 300; // characters of a log that are shown
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan EndTime = TimeSpan.FromSeconds(10);

    private readonly Process _shell;
    private readonly string _program;
    private readonly string _log;

    private ServerProcess(Process shell, string program, string log)
    {
        _shell = shell;
        _program = program;
        _log = log;
    }

    /// <summary>Where a program is: on PATH, or where Debian puts servers.</summary>
    public static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Concat(["/usr/sbin", "/usr/local/sbin"])
            .Where(folder => folder.Length > 0)
            .Select(folder => Path.Combine(folder, program))
            .FirstOrDefault(File.Exists);

    /// <param name="program">Its file.</param>
    /// <param name="arguments">What it is told.</param>
    /// <param name="environment">Added to ours.</param>
    /// <param name="log">A file for what it says.</param>
    public static ServerProcess Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment, string log)
    {
        ProcessStartInfo start = new("setsid", ["sh", "-c", Script, "sh", log, program, .. arguments]) { UseShellExecute = false, RedirectStandardInput = true };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        return new ServerProcess(Process.Start(start)!, program, log);
    }

    /// <summary>All of its processes that run and have not moved to a session of their own.</summary>
    public IEnumerable<int> Ids() => Directory.EnumerateDirectories("/proc")
        .Select(folder => int.TryParse(Path.GetFileName(folder.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out int id) ? id : 0)
        .Where(id => id > 0 && SessionOf(id) == _shell.Id);

    /// <summary>Completes when it takes connections.</summary>
    /// <exception cref="PeerFailedException">It ended, or took none in that time.</exception>
    public async Task WhenListeningAsync(int port, TimeSpan limit, CancellationToken cancellationToken)
    {
        long begin = Environment.TickCount64;
        while (!await IsListeningAsync(port, cancellationToken))
        {
            if (_shell.HasExited || Environment.TickCount64 - begin > limit.TotalMilliseconds)
            {
                throw new PeerFailedException($"{_program} {(_shell.HasExited ? "ended" : $"takes no connections after {limit.TotalSeconds:0} s")}: {Said()}");
            }

            await Task.Delay(Look, cancellationToken);
        }
    }

    /// <summary>SIGKILL to all of it: its data goes too, so there is nothing to save.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_shell.HasExited)
        {
            _shell.StandardInput.Close();
            using CancellationTokenSource patience = new(EndTime);
            await _shell.WaitForExitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!_shell.HasExited)
            {
                _shell.Kill(entireProcessTree: true);
                await _shell.WaitForExitAsync();
            }
        }

        // The kernel takes them down one by one, and what they write meanwhile would stay behind.
        long begin = Environment.TickCount64;
        while (Ids().Any() && Environment.TickCount64 - begin < EndTime.TotalMilliseconds)
        {
            await Task.Delay(Look);
        }

        _shell.Dispose();
    }

    private static async Task<bool> IsListeningAsync(int port, CancellationToken cancellationToken)
    {
        try
        {
            using TcpClient client = new();
            await client.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int SessionOf(int process)
    {
        try
        {
            string[] fields = ProcessUsage.FieldsOf(process);
            return fields[StateField] is "Z" or "X" ? 0 : int.Parse(fields[SessionField], CultureInfo.InvariantCulture);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    private string Said()
    {
        string text = File.Exists(_log) ? File.ReadAllText(_log).Trim() : "";
        return text.Length == 0 ? "it said nothing." : text[^Math.Min(LogEnd, text.Length)..].ReplaceLineEndings(" ");
    }
}
