using System.Text;

namespace Bft.Node.Tests.Support;

/// <summary>A witness that runs in this process, and what it logged.</summary>
public sealed class RunningWitness : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly LineWatcher _log = new();

    public RunningWitness(NodeOptions options)
    {
        Options = options;
        Ended = Task.Run(() => NodeHost.RunAsync(options with { Log = _log }, _stop.Token));
    }

    public NodeOptions Options { get; }

    /// <summary>Ends when the witness has stopped; fails as it failed.</summary>
    public Task Ended { get; }

    /// <summary>The witness serves; or why not.</summary>
    public Task Ready => Task.WhenAny(_log.WhenLogged("ready on"), Ended).Unwrap();

    public string Log => _log.ToString();

    public Task WhenLogged(string part) => _log.WhenLogged(part).WaitAsync(LocalCluster.Patience);

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Ended.WaitAsync(LocalCluster.Patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
        await _log.DisposeAsync();
    }

    private sealed class LineWatcher : TextWriter
    {
        private readonly Lock _lock = new();
        private readonly StringBuilder _text = new();
        private readonly List<(string Part, TaskCompletionSource Found)> _waiting = [];

        public override Encoding Encoding => Encoding.UTF8;

        public override void WriteLine(string? value)
        {
            lock (_lock)
            {
                _text.AppendLine(value);
                foreach ((string part, TaskCompletionSource found) in _waiting)
                {
                    if (value!.Contains(part, StringComparison.Ordinal))
                    {
                        found.TrySetResult();
                    }
                }
            }
        }

        public Task WhenLogged(string part)
        {
            lock (_lock)
            {
                TaskCompletionSource found = new(TaskCreationOptions.RunContinuationsAsynchronously);
                _waiting.Add((part, found));
                if (_text.ToString().Contains(part, StringComparison.Ordinal))
                {
                    found.SetResult();
                }

                return found.Task;
            }
        }

        public override string ToString()
        {
            lock (_lock)
            {
                return _text.ToString();
            }
        }
    }
}
