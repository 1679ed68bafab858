using System.Collections.Concurrent;

namespace Bft.Client;

/// <summary>Turns at opening sessions with one witness, for all clients of the process: a thousand handshakes at once would each take longer than one may, and all begin again.</summary>
internal static class DialTurns
{
    /// <summary>At once. Where the way is long, 32 dials that take half a second each are 64 sessions a second.</summary>
    private const int AtOnceMax = 32;

    private static readonly ConcurrentDictionary<Uri, SemaphoreSlim> Free = new(); // bound: witnesses of the cluster files that the process has read

    /// <summary>Waits for a turn. It ends with the attempt, which has a time-out, so that those at a dead witness take nobody's for long, and none at another.</summary>
    public static async Task<Turn> TakeAsync(Uri witness, CancellationToken cancellationToken)
    {
        SemaphoreSlim free = Free.GetOrAdd(witness, static _ => new SemaphoreSlim(AtOnceMax));
        await free.WaitAsync(cancellationToken).ConfigureAwait(false);
        return new Turn(free);
    }

    public readonly struct Turn(SemaphoreSlim free) : IDisposable
    {
        public void Dispose() => free.Release();
    }
}
