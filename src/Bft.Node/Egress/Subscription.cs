using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>Serves one subscription: what its feed has, then waits for the topic's signal.</summary>
internal sealed class Subscription(SubscriptionFeed feed, Signal signal, TimeSpan heartbeat, RangeWriter<ISubscribeReply> writer)
{
    /// <summary>Serves until the token fires, then says so.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        long heard = Environment.TickCount64;
        while (!stopping.IsCancellationRequested)
        {
            // Taken before the store is looked at, so that nothing falls between history and live.
            Task changed = signal.Next;
            bool served = await writer.WriteAsync(feed.NextRound(), CancellationToken.None);
            TimeSpan left = heartbeat - TimeSpan.FromMilliseconds(Environment.TickCount64 - heard);
            if (left <= TimeSpan.Zero)
            {
                // Also in a busy topic, for what it says about the tips (R4).
                await writer.WriteAsync(feed.ToHeartbeat());
                heard = Environment.TickCount64;
            }
            else if (!served)
            {
                await Task.WhenAny(changed, Task.Delay(left, stopping));
            }
        }

        await writer.WriteAsync(new EndFrame(EndReason.ShuttingDown, "the witness is going down; resume at another"));
    }
}
