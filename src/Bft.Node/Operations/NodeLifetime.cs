namespace Bft.Node;

/// <summary>Whether the process is to stop, and why.</summary>
internal sealed class NodeLifetime(NodeLog log) : IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private volatile bool _isFaulted;

    /// <summary>Fires when the process begins to stop.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>Nothing is signed any more.</summary>
    public bool IsFaulted => _isFaulted;

    public Task StopAsync() => _stopping.CancelAsync();

    public void Fault() => _isFaulted = true;

    /// <summary>Something that an operator should know, and that does not stop the process.</summary>
    public void Report(Exception trouble) => log.Write(trouble.Message);

    public void Dispose() => _stopping.Dispose();
}
