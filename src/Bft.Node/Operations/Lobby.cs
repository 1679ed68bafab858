using System.Diagnostics.CodeAnalysis;
using Bft.Crypto;
using Microsoft.AspNetCore.Connections;

namespace Bft.Node;

/// <summary>Who may be connected: counts connections and calls by address and identity, and shows strangers out, so that they cannot take the clients' places.</summary>
/// <remarks>
/// A stranger is a connection on which nobody has proven a key. What strangers do wrong is held against their address, and what a client does wrong
/// against its key alone. An address that is banned keeps its open sessions, and a few of its new connections a second are let in all the same: a
/// client may sit behind the same one.
/// </remarks>
internal sealed class Lobby(EdgeLimits limits, NodeLog log)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Visitor> _waiting = []; // bound: StrangersMax
    private readonly HashSet<Visitor> _visitors = []; // bound: ConnectionsMax
    private readonly Dictionary<NetworkPart, Neighbourhood> _addresses = []; // bound: one per visitor
    private readonly Dictionary<PublicKey, int> _owned = []; // connections; bound: keys that cluster.yaml names
    private int _calls;
    private int _pending;
    private long _unread;
    private long _lastLogMs;
    private int _unlogged;

    /// <summary>Addresses of strangers.</summary>
    public Bans<NetworkPart> Addresses { get; } = new(limits);

    /// <summary>Keys that were proven.</summary>
    public Bans<PublicKey> Identities { get; } = new(limits);

    /// <summary>Body bytes, over all connections, that no call has taken. Unit: bytes.</summary>
    public long UnreadBytes => Volatile.Read(ref _unread);

    /// <summary>Serves a connection, from its first byte on.</summary>
    public async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        Visitor visitor = new(this, connection, limits);
        if (!TryEnter(visitor))
        {
            visitor.Abort("There is no place for it.");
            return;
        }

        connection.Features.Set(visitor);
        try
        {
            await next(connection);
        }
        finally
        {
            Leave(visitor);
        }
    }

    /// <summary>Looks every second for those that only take up room.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        using PeriodicTimer timer = new(TimeSpan.FromSeconds(1));
        while (!stopping.IsCancellationRequested)
        {
            await ((Task)timer.WaitForNextTickAsync(stopping).AsTask()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Sweep(Environment.TickCount64);
        }
    }

    public void Sweep(long nowMs)
    {
        List<Visitor> overdue;
        List<Visitor> lingering;
        lock (_lock)
        {
            overdue = [.. _visitors.Where(visitor => visitor.Bodies.Any(body => body.IsOverdue(nowMs, limits.MessagePatience)))];
            lingering = [.. _waiting.Where(visitor => nowMs - visitor.WaitingSinceMs > limits.StrangerPatience.TotalMilliseconds)];
        }

        overdue.ForEach(visitor => Expel(visitor, Offence.Overdue, "a message that does not come to its end"));
        lingering.ForEach(visitor => Dismiss(visitor, "It has had time enough to say who it is."));
    }

    /// <summary>Counts an offence: against the key, if one was proven on the connection, or else against the address.</summary>
    public void Offend(Visitor visitor, double weight, string why)
    {
        if (visitor.Owner is { } owner)
        {
            Offend(owner, weight, why);
        }
        else if (Addresses.Offend(visitor.Address, weight, Environment.TickCount64) is { } length)
        {
            Log($"address {visitor.Address} gets {limits.BannedEntriesPerSecond} new connections a second for {length.TotalSeconds:0} s: {why}");
        }
    }

    /// <summary>Counts an offence against a key that was proven.</summary>
    public void Offend(PublicKey owner, double weight, string why)
    {
        if (Identities.Offend(owner, weight, Environment.TickCount64) is { } length)
        {
            Log($"key {owner} may open no session for {length.TotalSeconds:0} s: {why}");
        }
    }

    /// <summary>Ends the connections under another TLS key than this one: it was replaced.</summary>
    public void KeepOnly(Digest pin)
    {
        List<Visitor> others;
        lock (_lock)
        {
            others = [.. _visitors.Where(visitor => visitor.HasTls && visitor.Pin != pin)];
        }

        others.ForEach(visitor => Dismiss(visitor, "The TLS key was replaced."));
    }

    /// <summary>An offence that ends the connection.</summary>
    public void Expel(Visitor visitor, double weight, string why)
    {
        if (Dismiss(visitor, why))
        {
            Offend(visitor, weight, why);
        }
    }

    /// <summary>A call begins.</summary>
    /// <param name="visitor">On this connection.</param>
    /// <param name="body">Its request.</param>
    /// <param name="refusal">Why it may not.</param>
    public bool TryBegin(Visitor visitor, BodyReader body, [NotNullWhen(false)] out string? refusal)
    {
        lock (_lock)
        {
            Neighbourhood address = _addresses.GetValueOrDefault(visitor.Address) ?? new Neighbourhood();
            refusal = _calls >= limits.CallsMax ? "The witness has as many calls open as it may."
                : _pending >= limits.PendingCallsMax ? "Too many calls wait here for a hello."
                : address.Pending >= limits.PendingCallsPerAddressMax ? "Too many calls from this address wait for a hello."
                : visitor.Pending >= limits.PendingCallsPerConnectionMax ? "Too many calls on this connection wait for a hello."
                : null;
            if (refusal is not null)
            {
                return false;
            }

            _calls++;
            visitor.Bodies.Add(body);
            Pend(visitor, 1);
            return true;
        }
    }

    /// <summary>A call is over.</summary>
    public void End(Visitor visitor, BodyReader body)
    {
        lock (_lock)
        {
            _calls--;
            visitor.Bodies.Remove(body);
            Pend(visitor, -1);
        }
    }

    /// <summary>A session was opened on a call.</summary>
    /// <returns>False when the key has too many connections.</returns>
    public bool TryAdmit(Visitor visitor, PublicKey client)
    {
        lock (_lock)
        {
            if (visitor.Owner != client)
            {
                int owned = _owned.GetValueOrDefault(client);
                if (visitor.IsGone || owned >= limits.ConnectionsPerIdentityMax)
                {
                    return false;
                }

                Disown(visitor);
                visitor.Owner = client;
                _owned[client] = owned + 1;
            }

            visitor.Sessions++;
            Pend(visitor, -1);
            GiveUpPlace(visitor);
            return true;
        }
    }

    /// <summary>A session is over; its call is, soon.</summary>
    public void OnSessionEnded(Visitor visitor)
    {
        Visitor? displaced = null;
        lock (_lock)
        {
            visitor.Sessions--;
            Pend(visitor, 1);
            if (visitor.Sessions == 0 && !visitor.IsGone)
            {
                displaced = TakePlace(visitor);
            }
        }

        Displace(displaced);
    }

    public void OnUnread(long bytes)
    {
        if (Interlocked.Add(ref _unread, bytes) > limits.UnreadBytesMax && bytes > 0)
        {
            Relieve();
        }
    }

    /// <summary>Too much lies unread: the identity that has the most of it loses the connection that has the most of that.</summary>
    private void Relieve()
    {
        Visitor? heaviest;
        lock (_lock)
        {
            heaviest = UnreadBytes <= limits.UnreadBytesMax ? null : _visitors
                .Where(visitor => !visitor.IsGone)
                .GroupBy(visitor => visitor.Owner)
                .MaxBy(visitors => visitors.Sum(visitor => visitor.UnreadBytes))?
                .MaxBy(visitor => visitor.UnreadBytes);
        }

        if (heaviest is not null && Dismiss(heaviest, "Too much of what it sent lies unread."))
        {
            Log($"{limits.UnreadBytesMax >> 20} MiB of requests lie unread: a connection of {heaviest.Owner?.ToString() ?? heaviest.Address.ToString()} ends, which has the most of it");
        }
    }

    private bool TryEnter(Visitor visitor)
    {
        long now = Environment.TickCount64;
        if (!Addresses.MayEnter(visitor.Address, now))
        {
            return false;
        }

        Visitor? displaced = null;
        lock (_lock)
        {
            if (!_addresses.TryGetValue(visitor.Address, out Neighbourhood? address))
            {
                _addresses.Add(visitor.Address, address = new Neighbourhood());
            }

            if (address.Connections >= limits.ConnectionsPerAddressMax)
            {
                displaced = _waiting.FirstOrDefault(other => other.Address == visitor.Address);
                if (displaced is null)
                {
                    return false;
                }
            }

            address.Connections++;
            _visitors.Add(visitor);
            Visitor? oldest = TakePlace(visitor);
            displaced ??= oldest;
        }

        Displace(displaced);
        return true;
    }

    private void Displace(Visitor? visitor)
    {
        if (visitor is not null)
        {
            Dismiss(visitor, "Newer connections need the place of one without a session.");
        }
    }

    private void Leave(Visitor visitor)
    {
        bool wasUnfinished;
        lock (_lock)
        {
            wasUnfinished = !visitor.HasTls && !visitor.Address.IsLocal && !visitor.IsGone;
            visitor.IsGone = true;
            GiveUpPlace(visitor);
            Disown(visitor);
            _visitors.Remove(visitor);
            Neighbourhood address = _addresses[visitor.Address];
            address.Connections--;
            if (address is { Connections: 0, Pending: 0 })
            {
                _addresses.Remove(visitor.Address);
            }
        }

        visitor.Forget();
        if (wasUnfinished)
        {
            Offend(visitor, Offence.Unfinished, "connections that never came to TLS");
        }
    }

    /// <returns>False when it was on its way out already.</returns>
    private bool Dismiss(Visitor visitor, string why)
    {
        lock (_lock)
        {
            if (visitor.IsGone)
            {
                return false;
            }

            visitor.IsGone = true;
            GiveUpPlace(visitor);
        }

        visitor.Forget();
        visitor.Abort(why);
        return true;
    }

    /// <summary>It waits.</summary>
    /// <returns>Who is to go for it when too many wait: the oldest of the address that has most of them.</returns>
    private Visitor? TakePlace(Visitor visitor)
    {
        visitor.WaitingSinceMs = Environment.TickCount64;
        visitor.Place = _waiting.AddLast(visitor);
        _addresses[visitor.Address].Waiting++;
        return _waiting.Count > limits.StrangersMax ? _waiting.MaxBy(other => _addresses[other.Address].Waiting) : null;
    }

    private void GiveUpPlace(Visitor visitor)
    {
        if (visitor.Place is { } place)
        {
            _waiting.Remove(place);
            visitor.Place = null;
            _addresses[visitor.Address].Waiting--;
        }
    }

    private void Disown(Visitor visitor)
    {
        if (visitor.Owner is { } owner && --_owned[owner] == 0)
        {
            _owned.Remove(owner);
        }
    }

    private void Pend(Visitor visitor, int change)
    {
        _pending += change;
        visitor.Pending += change;

        // Calls may outlast their connection.
        if (!_addresses.TryGetValue(visitor.Address, out Neighbourhood? address))
        {
            _addresses.Add(visitor.Address, address = new Neighbourhood());
        }

        address.Pending += change;
        if (address is { Connections: 0, Pending: 0 })
        {
            _addresses.Remove(visitor.Address);
        }
    }

    /// <summary>One line a second at most: what strangers make happen must not fill a disk.</summary>
    private void Log(string line)
    {
        long now = Environment.TickCount64;
        int unlogged;
        lock (_lock)
        {
            if (now - _lastLogMs < 1000)
            {
                _unlogged++;
                return;
            }

            _lastLogMs = now;
            unlogged = _unlogged;
            _unlogged = 0;
        }

        log.Write(unlogged == 0 ? line : $"{line} ({unlogged} lines like this were left out)");
    }

    private sealed class Neighbourhood
    {
        public int Connections { get; set; }

        public int Waiting { get; set; }

        public int Pending { get; set; }
    }
}
