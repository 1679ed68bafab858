using Bft.Configuration;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Storage;

namespace Bft.Client;

/// <summary>The ways to one witness: a connection for publishing and one for receiving, so that neither waits behind the other's bytes; each over its Unix socket when that is on this host.</summary>
internal sealed class WitnessConnection : IDisposable
{
    private readonly LocalSocket? _socket;
    private readonly Route[] _far; // publishing, receiving
    private readonly Route[] _near; // the same over the socket; empty without one

    public WitnessConnection(WitnessEntry entry, ClusterLimits limits, TimeSpan connectTimeout, Action<ClientNotice> notify)
    {
        Witness = entry.Index;
        ConnectTimeout = connectTimeout;
        _socket = entry.Socket is { } path ? new LocalSocket(path, why => notify(new SocketPassedOver(entry.Index, path, why))) : null;
        _far = [NewRoute(null), NewRoute(null)];
        _near = _socket is null ? [] : [NewRoute(_socket), NewRoute(_socket)];

        Route NewRoute(LocalSocket? socket) => new(entry, limits, connectTimeout, notify, socket);
    }

    public WitnessIndex Witness { get; }

    public TimeSpan ConnectTimeout { get; }

    /// <summary>For the next call that publishes. What is of no use now may be so for the next one.</summary>
    public Route Publishing => At(0);

    /// <inheritdoc cref="Publishing"/>
    public Route Receiving => At(1);

    public void Dispose()
    {
        foreach (Route route in _far.Concat(_near))
        {
            route.Dispose();
        }
    }

    private Route At(int place) => (_socket?.IsThere() == true ? _near : _far)[place];
}
