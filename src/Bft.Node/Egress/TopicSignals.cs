using Bft.Protocol.Model;

namespace Bft.Node;

/// <summary>One signal per topic that somebody is subscribed to: raised when a stored tip in it rises.</summary>
/// <remarks>Bound: open subscriptions. A policy for "prices.*" lets a reader name any number of topics, so none is kept beyond its last subscription.</remarks>
internal sealed class TopicSignals
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Topic, (Signal Signal, int Watches)> _signals = [];

    public Watch WatchOf(Topic topic)
    {
        lock (_lock)
        {
            (Signal signal, int watches) = _signals.GetValueOrDefault(topic, (new Signal(), 0));
            _signals[topic] = (signal, watches + 1);
            return new Watch(this, topic, signal);
        }
    }

    public void Raise(Topic topic)
    {
        (Signal Signal, int Watches) watched;
        lock (_lock)
        {
            if (!_signals.TryGetValue(topic, out watched))
            {
                return;
            }
        }

        watched.Signal.Raise();
    }

    /// <summary>A subscription's share in its topic's signal, until it is disposed.</summary>
    internal sealed class Watch(TopicSignals signals, Topic topic, Signal signal) : IDisposable
    {
        public Signal Signal { get; } = signal;

        public void Dispose()
        {
            lock (signals._lock)
            {
                int watches = signals._signals[topic].Watches - 1;
                if (watches == 0)
                {
                    signals._signals.Remove(topic);
                }
                else
                {
                    signals._signals[topic] = (Signal, watches);
                }
            }
        }
    }
}
