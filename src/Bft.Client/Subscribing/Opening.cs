using System.Collections.Concurrent;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Verification;

namespace Bft.Client;

/// <summary>Puts a subscription together.</summary>
internal static class Opening
{
    public static async Task<Subscription> SubscribeAsync(
        IReadOnlyList<WitnessConnection> connections, Session session, Committee committee, Topic topic, SubscriptionOptions options, CursorStore? cursor, Action<ClientNotice> notify,
        Action<Subscription> onDisposed, CancellationToken cancellationToken)
    {
        bool isNew = cursor?.IsNew ?? true;
        Cursor start = isNew && options.From == StartFrom.Latest
            ? await LatestAsync(connections, session, committee, topic, notify, cancellationToken).ConfigureAwait(false)
            : cursor?.Cursor.Copy() ?? new Cursor(topic);
        if (cursor is not null && isNew)
        {
            // What was left out at the start stays out when the cursor is used again.
            foreach ((StreamId stream, CursorPosition position) in start.Positions)
            {
                await cursor.CommitAsync(stream, position, cancellationToken).ConfigureAwait(false);
            }
        }

        ByteCredit credit = new(options.QueueBytesMax);
        SubscriberLoop loop = new(committee, start, options, credit, notify);
        BodyFeed feed = new(connections, session, loop, committee, topic, options, credit, notify);
        HandOvers handOvers = new(connections, session);
        CancellationTokenSource ending = new();
        loop.Feed = feed;
        loop.OnHandOver = handOver => handOvers.Begin(handOver, ending.Token);
        TipLink[] links = [.. connections.Select(connection => new TipLink(
            connection,
            session,
            topic,
            (from, tip, token) => loop.TakeMisbehaved(from)
                ? throw new SessionEndedException("It sent what does not verify.")
                : loop.PostAsync((role, effects) => loop.OnTip(from, tip, role, effects), token),
            _ => { }))];
        ValueTask OnAdmission(WitnessIndex witness, string? refusal) => loop.PostAsync(
            (_, _) =>
            {
                if (refusal is null)
                {
                    loop.OnAdmitted(witness);
                }
                else
                {
                    loop.OnNotAdmitted(witness, refusal);
                }
            },
            ending.Token);

        Task running = Task.WhenAll(
        [
            Task.Run(() => loop.RunAsync(ending.Token), CancellationToken.None),
            Task.Run(() => feed.RunAsync(ending.Token), CancellationToken.None),
            .. links.Select(link => Task.Run(() => link.RunAsync(OnAdmission, notify, ending.Token), CancellationToken.None)),
        ]);
        return new Subscription(topic, committee.Limits, loop, credit, cursor, start.Positions, ending, running, onDisposed);
    }

    /// <summary>"From now on": behind the highest proven tip that n − f witnesses show, stream by stream. A witness has shown all it has when it says nothing (a heartbeat), or shows a stream again.</summary>
    private static async Task<Cursor> LatestAsync(
        IReadOnlyList<WitnessConnection> connections, Session session, Committee committee, Topic topic, Action<ClientNotice> notify, CancellationToken cancellationToken)
    {
        ConcurrentDictionary<(StreamId, WitnessIndex), QuorumCertificate> tips = new();
        ConcurrentDictionary<WitnessIndex, bool> complete = new();
        TaskCompletionSource enough = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        void OnComplete(WitnessIndex witness)
        {
            complete[witness] = true;
            if (complete.Count >= committee.Size.Responsive)
            {
                enough.TrySetResult();
            }
        }

        ConcurrentDictionary<WitnessIndex, string> refusing = new();
        ValueTask OnAdmission(WitnessIndex witness, string? refusal)
        {
            if (refusal is not null)
            {
                refusing[witness] = refusal;
                if (refusing.Count >= committee.Size.OneCorrect)
                {
                    enough.TrySetException(new SubscriptionRefusedException(topic, $"the witnesses do not let this key read: {refusal} Add it under clients and topics in every witness's cluster.yaml."));
                }
            }

            return ValueTask.CompletedTask;
        }

        Task following = Task.WhenAll(connections.Select(connection => new TipLink(
            connection,
            session,
            topic,
            (from, tip, _) =>
            {
                if (!tips.TryAdd((tip.Batch.Stream, from), tip))
                {
                    OnComplete(from);
                }

                return ValueTask.CompletedTask;
            },
            OnComplete).RunAsync(OnAdmission, notify, ending.Token)));
        try
        {
            await enough.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await following.ConfigureAwait(false);
        }

        AckVerifier verifier = new(committee, Ed25519.Instance, Protocol.NodeLimits.Default.RememberedRootsMax);
        Cursor cursor = new(topic);
        foreach (QuorumCertificate tip in tips.Values.OrderByDescending(tip => tip.Batch.Sequence))
        {
            if (cursor.PositionOf(tip.Batch.Stream).Next <= tip.Batch.Sequence && verifier.TryVerify(tip, out _, out _))
            {
                cursor.Advance(tip.Batch);
            }
        }

        return cursor;
    }
}
