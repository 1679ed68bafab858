using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;

namespace Bft.Client;

/// <summary>Puts a subscription together.</summary>
internal static class Opening
{
    public static async Task<Subscription> SubscribeAsync(
        IReadOnlyList<WitnessConnection> connections, Session session, Committee committee, Topic topic, SubscriptionOptions options, CursorFile? cursor, Action<ClientNotice> notify,
        Action<Subscription> onDisposed, CancellationToken cancellationToken)
    {
        bool isNew = cursor?.Store.IsNew ?? true;
        SubscriberLoop loop = new(connections, session, committee, topic, options, cursor?.Store, notify);
        CancellationTokenSource ending = new();
        Task running = Task.Run(() => loop.RunAsync(ending.Token), CancellationToken.None);
        try
        {
            Cursor start = isNew && options.From == StartFrom.Latest
                ? await loop.StartedFrom.WaitAsync(cancellationToken).ConfigureAwait(false)
                : cursor?.Store.Cursor.Copy() ?? new Cursor(topic);
            if (cursor is not null && isNew)
            {
                // What was left out at the start stays out when the cursor is used again.
                foreach ((StreamId stream, CursorPosition position) in start.Positions)
                {
                    await cursor.CommitAsync(stream, position, cancellationToken).ConfigureAwait(false);
                }
            }

            return new Subscription(topic, committee.Limits, loop, cursor, start, ending, running, onDisposed);
        }
        catch
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await running.ConfigureAwait(false);
            ending.Dispose();
            throw;
        }
    }
}
