using Bft.Storage;
using Grpc.Core;

namespace Bft.Node;

/// <summary>Whether the process is to stop, and why.</summary>
internal sealed class NodeLifetime(NodeLog log) : IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private volatile CancellationTokenSource _calls = new();
    private volatile bool _isFaulted;

    /// <summary>Fires when the process begins to stop.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>Nothing is signed any more.</summary>
    public bool IsFaulted => _isFaulted;

    /// <summary>Runs a call; one that ends because the process stops, or because who may call was replaced, ends with a status that says so.</summary>
    public async Task RunCallAsync(Func<CancellationToken, Task> call, CancellationToken over)
    {
        CancellationToken replaced = _calls.Token;
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(over, Stopping, replaced);
        try
        {
            await call(either.Token);
        }
        catch (OperationCanceledException) when (Stopping.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "The witness is going down; go on at another."));
        }
        catch (OperationCanceledException) when (replaced.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "The witness has a new cluster.yaml; call again."));
        }
        catch (StoreDamageException damage)
        {
            log.Write(damage.Message);
            throw new RpcException(new Status(StatusCode.DataLoss, "A stored record is damaged; ask another witness."));
        }
#pragma warning disable CA1031 // A defect that one call runs into ends that call, and is seen.
        catch (Exception defect) when (defect is not RpcException and not OperationCanceledException)
        {
            log.Write($"a call failed by a defect: {defect}");
            throw new RpcException(new Status(StatusCode.Internal, "The witness failed in this call; its log says how."));
        }
#pragma warning restore CA1031
    }

    /// <summary>Ends the calls that are open: each opens again under what holds now, or is refused.</summary>
    public void EndCalls()
    {
        CancellationTokenSource before = _calls;
        _calls = new CancellationTokenSource();
        _ = before.CancelAsync();
    }

    public Task StopAsync() => _stopping.CancelAsync();

    public void Fault() => _isFaulted = true;

    public void Dispose()
    {
        _stopping.Dispose();
        _calls.Dispose();
    }
}
