namespace Bft.Client;

/// <summary>A batch from its first message on until it is certified: what its tickets share.</summary>
internal sealed class PendingBatch
{
    private readonly TaskCompletionSource<CertifiedBatch> _certified = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<CertifiedBatch> Certified => _certified.Task;

    /// <summary>Somebody may ask for a receipt, so the body is kept. Written before the batch is sealed.</summary>
    public bool IsBodyKept { get; set; }

    public void Complete(CertifiedBatch batch) => _certified.TrySetResult(batch);

    public void Fail(Exception reason)
    {
        if (_certified.TrySetException(reason))
        {
            // Whoever awaits it is told; nobody has to.
            _ = _certified.Task.Exception;
        }
    }
}
