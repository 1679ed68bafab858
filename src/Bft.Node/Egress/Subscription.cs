using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>Serves one subscription: what its feed has, then waits for the topic's signal.</summary>
internal sealed class Subscription(SubscriptionFeed feed, Signal signal, TimeSpan heartbeat, RangeWriter<ISubscribeReply> writer)
{
    /// <summary>Serves until the token fires, then says so.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            // Taken before the store is looked at, so that nothing falls between history and live.
            Task changed = signal.Next;
            if (await writer.WriteAsync(feed.NextRound(), CancellationToken.None))
            {
                continue;
            }

            Task first = await Task.WhenAny(changed, Task.Delay(heartbeat, stopping));
            if (first != changed && !stopping.IsCancellationRequested)
            {
                await writer.WriteAsync(new HeartbeatFrame());
            }
        }

        await writer.WriteAsync(new EndFrame(EndReason.ShuttingDown, "the witness is going down; resume at another"));
    }
}
