using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>The links to all other witnesses.</summary>
internal sealed class PeerLinks
{
    private readonly PeerLink?[] _links;

    public PeerLinks(NodeIdentity identity, Func<WitnessIndex, PeerLink> link) =>
        _links = [.. identity.Committee.Members.Select(member => member == identity.Index ? null : link(member))];

    public IEnumerable<PeerLink> All => _links.OfType<PeerLink>();

    public PeerLink? Of(WitnessIndex peer) => _links[peer.Value];

    /// <summary>To one peer, or to all that are connected.</summary>
    public void Post(WitnessIndex? peer, IExchangeRequest frame, int bytes)
    {
        foreach (PeerLink? link in _links)
        {
            if (peer is null || link?.Peer == peer)
            {
                link?.Tell(frame, bytes);
            }
        }
    }

    /// <summary>W8: a stored tip, to one peer or to all.</summary>
    public void PostTip(WitnessIndex? peer, StreamId stream, TipFrame tip)
    {
        foreach (PeerLink? link in _links)
        {
            if (peer is null || link?.Peer == peer)
            {
                link?.TellTip(stream, tip);
            }
        }
    }

    public Task RunAsync(CancellationToken cancellationToken) => Task.WhenAll(All.Select(link => link.RunAsync(cancellationToken)));
}
