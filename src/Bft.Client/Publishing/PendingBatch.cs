namespace Bft.Client;

/// <summary>A batch from its first message on until it is certified: what its tickets share.</summary>
/// <param name="onOver">Told, once, what it held (bytes).</param>
internal sealed class PendingBatch(Action<int> onOver)
{
    private readonly TaskCompletionSource<CertifiedBatch> _certified = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<CertifiedBatch> Certified => _certified.Task;

    /// <summary>Somebody may ask for a receipt, so the body is kept. Written before the batch is sealed.</summary>
    public bool IsBodyKept { get; set; }

    /// <summary>What it holds of its publisher's share. Unit: bytes. Written before the batch is sealed.</summary>
    public int HeldBytes { get; set; }

    public void Complete(CertifiedBatch batch)
    {
        if (_certified.TrySetResult(batch))
        {
            onOver(HeldBytes);
        }
    }

    public void Fail(Exception reason)
    {
        if (_certified.TrySetException(reason))
        {
            // Whoever awaits it is told; nobody has to.
            _ = _certified.Task.Exception;
            onOver(HeldBytes);
        }
    }
}
