using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Roles;

/// <summary>W4: which streams' first batches are held for whose tip. One entry per stream (C3).</summary>
internal sealed class AwaitedLinks
{
    private readonly SortedDictionary<StreamId, SortedDictionary<StreamId, WitnessStream>> _waiting = [];

    /// <summary>The stream that a link of this one leads to.</summary>
    public static StreamId TargetOf(StreamHeader header, Ancestor link) =>
        new StreamHeader(header.Cluster, header.Publisher, header.Topic, link.Incarnation).Id;

    /// <summary>Streams that wait for a tip of this one.</summary>
    public WitnessStream[] WaitingFor(StreamId target) => _waiting.TryGetValue(target, out SortedDictionary<StreamId, WitnessStream>? waiting) ? [.. waiting.Values] : [];

    /// <summary>What the stream waits for may have changed.</summary>
    public void Update(WitnessStream stream)
    {
        StreamId? awaited = stream.Witness.AwaitedLink is { } link ? TargetOf(stream.Witness.Header!, link) : null;
        if (awaited == stream.AwaitedStream)
        {
            return;
        }

        if (stream.AwaitedStream is { } before && _waiting.TryGetValue(before, out SortedDictionary<StreamId, WitnessStream>? others))
        {
            others.Remove(stream.Witness.Id);
            if (others.Count == 0)
            {
                _waiting.Remove(before);
            }
        }

        stream.AwaitedStream = awaited;
        if (awaited is { } target)
        {
            _waiting.TryAdd(target, []);
            _waiting[target].Add(stream.Witness.Id, stream);
        }
    }
}
