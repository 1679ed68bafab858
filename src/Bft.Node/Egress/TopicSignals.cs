using System.Collections.Concurrent;
using Bft.Protocol.Model;

namespace Bft.Node;

/// <summary>One signal per topic that somebody has subscribed to: raised when a stored tip in it rises.</summary>
/// <remarks>Bound: topics that some client may read, and asked for.</remarks>
internal sealed class TopicSignals
{
    private readonly ConcurrentDictionary<Topic, Signal> _signals = new();

    public Signal Of(Topic topic) => _signals.GetOrAdd(topic, static _ => new Signal());

    public void Raise(Topic topic)
    {
        if (_signals.TryGetValue(topic, out Signal? signal))
        {
            signal.Raise();
        }
    }
}
