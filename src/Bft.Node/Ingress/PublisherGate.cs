using System.Collections.Concurrent;
using System.Diagnostics;
using Bft.Configuration;
using Bft.Crypto;

namespace Bft.Node;

/// <summary>The one door to what publishers share (verification, core, journal): an identity gets its share of it, over all its calls. Thread-safe.</summary>
/// <remarks>
/// What is admitted and not yet durable is a short queue that everybody waits behind, so its bound is small; all else waits here in fair order, a few frames per call, and behind that in the transport's
/// windows, which push back to whoever fills them. Weights and rates are those of cluster.yaml as it was read last.
/// </remarks>
/// <param name="cluster">As it was read last.</param>
/// <param name="bound">Of what is admitted and not yet durable.</param>
internal sealed class PublisherGate(Func<ClusterFile> cluster, AdmissionBound bound)
{
    /// <summary>How unevenly a publisher may send and still get its share: seconds of a hundredth of a witness. Unit: bytes, or what messages count for.</summary>
    private const long UnevenMax = 1024 * 1024;

    /// <summary>What a call may have waiting beside a first frame: turns end several at a time, when a commit is durable, and only who waits then has one of the next. Unit: bytes.</summary>
    private const long AskedAheadMax = 256 * 1024;

    /// <summary>Of all calls together; each may have its first frame. Unit: bytes.</summary>
    private const long AllAskedAheadMax = 32L * 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly FairOrder<Admission> _order = new() { BytesMax = 0, AheadMax = UnevenMax, BehindMax = UnevenMax };
    private readonly ConcurrentDictionary<PublicKey, Payer> _payers = new(); // bound: keys that cluster.yaml names
    private Pace _messages;
    private Pace _bytes;
    private bool _isPaused;

    /// <summary>Asks for a turn, when the publisher's own rates allow it.</summary>
    /// <param name="publisher">Who sent the frame.</param>
    /// <param name="cost">Of the frame.</param>
    /// <param name="after">What the call asked for before: these turns come in their order. Null for the first.</param>
    /// <param name="cancellationToken">The call is over.</param>
    public async ValueTask<Admission> AskAsync(PublicKey publisher, PublishCost cost, Admission? after, CancellationToken cancellationToken)
    {
        ClusterFile now = cluster();
        ClientEntry? client = now.ClientOf(publisher);
        Payer payer = _payers.GetOrAdd(publisher, static _ => new Payer());
        bool isSeldom = await payer.PayAsync(cost, client, cancellationToken);
        Admission admission = new(this, cost);
        lock (_lock)
        {
            bound.OnAsked(publisher, NowMicroseconds());
            admission.Turn = _order.Ask(publisher, client?.Weight ?? 1, cost.By(now.Sharing.By, isSeldom), cost.Bytes, admission, after?.Turn);
            Admit();
        }

        return admission;
    }

    /// <summary>Whether a call that has so much waiting may ask for more: an own turn is to be there when one that others share ends, and waiting frames are memory.</summary>
    /// <param name="waitingBytes">Of the call.</param>
    public bool MayAskAhead(long waitingBytes) => waitingBytes < AskedAheadMax && _order.WaitingBytes < AllAskedAheadMax;

    private static long NowMicroseconds() => (long)Stopwatch.GetElapsedTime(0).TotalMicroseconds;

    private void Admit()
    {
        SharingPolicy all = cluster().Sharing;
        long now = NowMicroseconds();
        while (true)
        {
            long wait = Math.Max(_messages.Wait(now), _bytes.Wait(now));
            if (wait > 0)
            {
                Pause(wait);
                return;
            }

            _order.BytesMax = bound.BytesAt(now);
            if (_order.Next() is not { Item: var next })
            {
                if (_order.WaitingCount > 0)
                {
                    bound.OnFull();
                }

                return;
            }

            _messages.Take(next.Cost.Messages, all.MessagesPerSecond, now);
            _bytes.Take(next.Cost.Bytes, all.BytesPerSecond, now);
            next.Give();
        }
    }

    /// <summary>The rate of all together is spent: whoever is next then goes on.</summary>
    private void Pause(long microseconds)
    {
        if (_isPaused || _order.WaitingCount == 0)
        {
            return;
        }

        _isPaused = true;
        _ = Task.Delay(TimeSpan.FromMicroseconds(microseconds)).ContinueWith(
            _ =>
            {
                lock (_lock)
                {
                    _isPaused = false;
                    Admit();
                }
            },
            TaskScheduler.Default);
    }

    private void End(Admission admission)
    {
        lock (_lock)
        {
            _order.End(admission.Turn!);
            bound.OnDone(admission.Given.IsCompleted ? admission.Cost.Bytes : 0, NowMicroseconds());
            Admit();
        }
    }

    /// <summary>A turn, asked for or given. To be disposed when the frame, and what came of it, is dealt with, or nobody wants it any more.</summary>
    internal sealed class Admission(PublisherGate gate, PublishCost cost) : IDisposable
    {
        private readonly TaskCompletionSource _given = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _isOver;

        /// <summary>Ends when the turn is given.</summary>
        public Task Given => _given.Task;

        internal FairOrder<Admission>.Turn? Turn { get; set; }

        internal PublishCost Cost { get; } = cost;

        internal void Give() => _given.TrySetResult();

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isOver, 1) == 0)
            {
                gate.End(this);
            }
        }
    }

    /// <summary>An identity, what it may send, and how often it does.</summary>
    private sealed class Payer
    {
        /// <summary>Batches a second that count by their bytes alone: someone who sends one for each message, and a few hundred bytes in it, takes some hundredths of a processor.</summary>
        private const int SeldomPerSecond = 200;

        private readonly Lock _lock = new();
        private Pace _messages;
        private Pace _bytes;
        private Pace _batches;

        /// <summary>Waits until the identity may send that.</summary>
        /// <returns>Whether it sends few batches.</returns>
        public async ValueTask<bool> PayAsync(PublishCost cost, ClientEntry? client, CancellationToken cancellationToken)
        {
            long wait;
            bool isSeldom;
            lock (_lock)
            {
                long now = NowMicroseconds();
                _messages.Take(cost.Messages, client?.MessagesPerSecond, now);
                _bytes.Take(cost.Bytes, client?.BytesPerSecond, now);
                wait = Math.Max(_messages.Wait(now), _bytes.Wait(now));
                isSeldom = _batches.Wait(now) == 0;
                if (isSeldom)
                {
                    _batches.Take(1, SeldomPerSecond, now);
                }
            }

            if (wait > 0)
            {
                await Task.Delay(TimeSpan.FromMicroseconds(wait), cancellationToken);
            }

            return isSeldom;
        }
    }
}
