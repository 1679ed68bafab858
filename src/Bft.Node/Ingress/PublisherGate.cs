using System.Collections.Concurrent;
using System.Diagnostics;
using Bft.Configuration;
using Bft.Crypto;

namespace Bft.Node;

/// <summary>The one door to what publishers share (verification, core, journal): an identity gets its share of it, over all its calls. Thread-safe.</summary>
/// <remarks>
/// What is admitted and not yet durable is a short queue that everybody waits behind, so its bound is small; all else waits here in fair order, one frame per call, and behind that in the transport's
/// windows, which push back to whoever fills them. Weights and rates are those of cluster.yaml as it was read last.
/// </remarks>
/// <param name="cluster">As it was read last.</param>
/// <param name="bound">Of what is admitted and not yet durable.</param>
internal sealed class PublisherGate(Func<ClusterFile> cluster, AdmissionBound bound)
{
    /// <summary>Seconds of a hundredth of a witness. Unit: bytes, or what messages count for.</summary>
    private const long AheadMax = 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly FairOrder<Admission> _order = new() { BytesMax = 0, AheadMax = AheadMax };
    private readonly ConcurrentDictionary<PublicKey, Payer> _payers = new(); // bound: keys that cluster.yaml names
    private Pace _messages;
    private Pace _bytes;
    private bool _isPaused;

    /// <summary>Waits for a turn. What it returns is to be disposed when the frame, and what came of it, is dealt with.</summary>
    /// <param name="publisher">Who sent the frame.</param>
    /// <param name="cost">Of the frame.</param>
    /// <param name="cancellationToken">The call is over.</param>
    public async ValueTask<IDisposable> EnterAsync(PublicKey publisher, PublishCost cost, CancellationToken cancellationToken)
    {
        ClusterFile now = cluster();
        ClientEntry? client = now.ClientOf(publisher);
        Payer payer = _payers.GetOrAdd(publisher, static _ => new Payer());
        bool isSeldom = await payer.PayAsync(cost, client, cancellationToken);
        Admission admission = new(this);
        lock (_lock)
        {
            admission.Cost = cost;
            bound.OnAsked(publisher, NowMicroseconds());
            admission.Turn = _order.Ask(publisher, client?.Weight ?? 1, cost.By(now.Sharing.By, isSeldom), cost.Bytes, admission);
            Admit();
        }

        if (!admission.IsAdmitted)
        {
            try
            {
                await using (cancellationToken.UnsafeRegister(static (state, token) => ((Admission)state!).Admitted.TrySetCanceled(token), admission))
                {
                    await admission.Admitted.Task;
                }
            }
            catch
            {
                admission.Dispose();
                throw;
            }
        }

        return admission;
    }

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
            next.Admitted.TrySetResult();
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
            bound.OnDone(admission.IsAdmitted ? admission.Cost.Bytes : 0, NowMicroseconds());
            Admit();
        }
    }

    private sealed class Admission(PublisherGate gate) : IDisposable
    {
        private int _isOver;

        public FairOrder<Admission>.Turn? Turn { get; set; }

        public PublishCost Cost { get; set; }

        public TaskCompletionSource Admitted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsAdmitted => Admitted.Task.IsCompletedSuccessfully;

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
