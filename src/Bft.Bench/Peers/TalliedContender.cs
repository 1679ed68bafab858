using Bft.Bench.Load;

namespace Bft.Bench.Peers;

/// <summary>A contender of somebody else's, whose acks and deliveries we count ourselves.</summary>
internal abstract class TalliedContender(Payloads payloads) : IContender
{
    public long Sent => Tally.Sent;

    public long Acked => Tally.Acked;

    public long Delivered => Tally.Delivered;

    public Task Failed => Tally.Failed;

    public abstract IReadOnlyCollection<int> Servers { get; }

    public LatencyProbe? Probe
    {
        set => Tally.Probe = value;
    }

    protected Tally Tally { get; } = new(payloads);

    /// <summary>Of the message that is sent.</summary>
    protected byte[] Payload { get; } = new byte[payloads.Size];

    public Task SendAsync(int window, CancellationToken cancellationToken) => Task.Factory.StartNew(
        () =>
        {
            while (!cancellationToken.IsCancellationRequested && !Failed.IsCompleted)
            {
                if (Tally.HasRoom(window))
                {
                    Send().AsTask().GetAwaiter().GetResult(); // mostly at once, and then without a task of its own
                }
                else
                {
                    Flush();
                    Tally.WaitForRoom(window, cancellationToken);
                }
            }

            Flush();
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);

    public async Task SendOneAsync()
    {
        await Send();
        Flush();
    }

    public abstract ValueTask DisposeAsync();

    /// <summary>Opens what was made, or leaves nothing of it behind.</summary>
    protected static async Task<IContender> OpenedAsync(TalliedContender contender, CancellationToken cancellationToken)
    {
        try
        {
            await contender.OpenAsync(cancellationToken);
            return contender;
        }
        catch
        {
            await contender.DisposeAsync();
            throw;
        }
    }

    /// <summary>Connects a publisher and a consumer.</summary>
    protected abstract Task OpenAsync(CancellationToken cancellationToken);

    /// <summary>Hands <see cref="Payload"/> to the system.</summary>
    protected abstract ValueTask PublishAsync(long number);

    /// <summary>Sends what the client has kept back.</summary>
    protected virtual void Flush()
    {
    }

    private ValueTask Send()
    {
        long number = Tally.Sent;
        Tally.Payloads.Write(number, Payload);
        Tally.OnSending();
        return PublishAsync(number);
    }
}
