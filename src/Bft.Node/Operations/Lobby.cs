using Microsoft.AspNetCore.Connections;

namespace Bft.Node;

/// <summary>Connections on which no session is open. When too many wait here the oldest gives way, so that strangers cannot take the clients' places.</summary>
internal sealed class Lobby(int max)
{
    private readonly int _max = max;
    private readonly Lock _lock = new();
    private readonly LinkedList<ConnectionContext> _waiting = []; // bound: max

    /// <summary>Serves a connection, from its first byte on.</summary>
    public async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        Visitor visitor = new(this, connection);
        connection.Features.Set(visitor);
        visitor.Wait();
        try
        {
            await next(connection);
        }
        finally
        {
            visitor.Leave();
        }
    }

    /// <summary>One connection; it waits in the lobby whenever it carries no session.</summary>
    internal sealed class Visitor(Lobby lobby, ConnectionContext connection)
    {
        private LinkedListNode<ConnectionContext>? _place;
        private int _sessions;
        private bool _isGone;

        /// <summary>A session was opened on it.</summary>
        public void Admit()
        {
            lock (lobby._lock)
            {
                _sessions++;
                GiveUpPlace();
            }
        }

        /// <summary>A session on it has ended.</summary>
        public void Dismiss()
        {
            bool isLast;
            lock (lobby._lock)
            {
                isLast = --_sessions == 0;
            }

            if (isLast)
            {
                Wait();
            }
        }

        public void Wait()
        {
            ConnectionContext? displaced = null;
            lock (lobby._lock)
            {
                if (_isGone || _sessions > 0 || _place is not null)
                {
                    return;
                }

                _place = lobby._waiting.AddLast(connection);
                if (lobby._waiting.Count > lobby._max)
                {
                    displaced = lobby._waiting.First!.Value;
                    lobby._waiting.RemoveFirst();
                }
            }

            displaced?.Abort(new ConnectionAbortedException("Newer connections need the place of one without a session."));
        }

        public void Leave()
        {
            lock (lobby._lock)
            {
                _isGone = true;
                GiveUpPlace();
            }
        }

        private void GiveUpPlace()
        {
            // One that was displaced is in no list any more.
            if (_place is { List: not null } place)
            {
                lobby._waiting.Remove(place);
            }

            _place = null;
        }
    }
}
