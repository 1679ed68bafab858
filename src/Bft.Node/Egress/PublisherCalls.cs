using System.Collections.Concurrent;
using Bft.Crypto;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>The open publish calls, by the publisher's key. Bound: the cluster's clients, each with its most sessions.</summary>
internal sealed class PublisherCalls
{
    private readonly ConcurrentDictionary<PublicKey, Outbox<IPublishReply>[]> _calls = new();

    public Outbox<IPublishReply>[] Of(PublicKey publisher) => _calls.GetValueOrDefault(publisher, []);

    /// <summary>To every open call of the publisher.</summary>
    public void Post(PublicKey publisher, IPublishReply frame, int bytes)
    {
        foreach (Outbox<IPublishReply> call in Of(publisher))
        {
            call.Post(frame, bytes);
        }
    }

    public void Add(PublicKey publisher, Outbox<IPublishReply> call) =>
        _calls.AddOrUpdate(publisher, static (_, added) => [added], static (_, calls, added) => [.. calls, added], call);

    public void Remove(PublicKey publisher, Outbox<IPublishReply> call) =>
        _calls.AddOrUpdate(publisher, static (_, _) => [], static (_, calls, removed) => [.. calls.Where(open => open != removed)], call);
}
