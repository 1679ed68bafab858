using Bft.Bench.Measuring;
using Bft.Client;
using Bft.Protocol.Bodies;

namespace Bft.Bench.Load;

/// <summary>One publisher: sends numbered messages as fast as they are accepted, by a schedule, or one at a time. One caller at a time.</summary>
internal sealed class LoadPublisher : IAsyncDisposable
{
    private readonly Publisher _publisher;
    private readonly Payloads _payloads;
    private readonly byte[] _buffer;
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _sent;
    private long _certified;
    private long _bodyBytes;
    private volatile LatencyProbe? _probe;
    private volatile TaskCompletionSource _progress = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private BatchSizes _batches = new(new Histogram(), new Histogram());

    public LoadPublisher(Publisher publisher, Payloads payloads)
    {
        _publisher = publisher;
        _payloads = payloads;
        _buffer = new byte[payloads.Size];
    }

    /// <summary>Messages accepted.</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Messages certified.</summary>
    public long Certified => Volatile.Read(ref _certified);

    /// <summary>Of the bodies of batches that are certified.</summary>
    public long BodyBytes => Volatile.Read(ref _bodyBytes);

    /// <summary>Is told of every batch.</summary>
    public LatencyProbe? Probe
    {
        get => _probe;
        set => _probe = value;
    }

    /// <summary>Never completes, but fails when a batch does.</summary>
    public Task Failed => _failed.Task;

    /// <summary>Of the batches certified since this was called last.</summary>
    public BatchSizes TakeBatchSizes()
    {
        lock (_gate)
        {
            BatchSizes taken = _batches;
            _batches = new BatchSizes(new Histogram(), new Histogram());
            return taken;
        }
    }

    /// <summary>Closed loop: as fast as messages are accepted, until cancelled.</summary>
    public async Task SendFastAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await SendAsync();
        }
    }

    /// <summary>Closed loop with a window: never more than so many messages that are not certified, until cancelled.</summary>
    public async Task SendWindowAsync(int window, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            Task progress = _progress.Task;
            if (_sent - Certified < window)
            {
                await SendAsync();
            }
            else
            {
                await progress.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Open loop: each message when it is due, never waiting for an answer. If the publisher takes nothing for a while (P4), what is due meanwhile goes late, and its latency counts from when it was due.</summary>
    /// <param name="schedule">When.</param>
    /// <param name="begin">Of the schedule; see <see cref="Monotonic.Now"/>.</param>
    /// <param name="ticks">How many ticks of the schedule.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task SendOnScheduleAsync(Schedule schedule, long begin, long ticks, CancellationToken cancellationToken) => Task.Factory.StartNew(
        () =>
        {
            Monotonic.SharpenThread();
            long first = _sent;
            for (long tick = 0; tick < ticks && !cancellationToken.IsCancellationRequested && !_failed.Task.IsCompleted; tick++)
            {
                Monotonic.SleepUntil(begin + (tick * Schedule.TickNanoseconds));
                while (_sent - first < schedule.DueBy(tick))
                {
                    ValueTask sending = SendAsync();
                    if (!sending.IsCompletedSuccessfully)
                    {
                        sending.AsTask().GetAwaiter().GetResult();
                    }
                }
            }
        },
        cancellationToken,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);

    /// <summary>One message; completes when it is certified.</summary>
    public async Task SendOneAsync()
    {
        _payloads.Write(_sent, _buffer);
        PublishTicket ticket = await _publisher.SendAsync(new Message(_buffer));
        Watch(ticket);
        await ticket.Certified;
    }

    public ValueTask DisposeAsync()
    {
        _ = _failed.Task.Exception;
        return _publisher.DisposeAsync();
    }

    private ValueTask SendAsync()
    {
        _payloads.Write(_sent, _buffer);
        ValueTask<PublishTicket> sending = _publisher.SendAsync(new Message(_buffer));
        if (!sending.IsCompletedSuccessfully)
        {
            return WatchLaterAsync(sending);
        }

        Watch(sending.Result);
        return ValueTask.CompletedTask;
    }

    private async ValueTask WatchLaterAsync(ValueTask<PublishTicket> sending) => Watch(await sending);

    private void Watch(PublishTicket ticket)
    {
        long number = _sent;
        Volatile.Write(ref _sent, number + 1);

        // All messages of a batch share its task: one continuation each would cost more than the batch.
        if (ticket.Position == 0)
        {
            _ = WhenCertifiedAsync(ticket.Certified, number);
        }
    }

    private async Task WhenCertifiedAsync(Task<CertifiedBatch> certified, long first)
    {
        try
        {
            CertifiedBatch batch = await certified.ConfigureAwait(false);
            long now = Monotonic.Now;
            _probe?.OnCertified(first, batch.MessageCount, now);
            Interlocked.Add(ref _certified, batch.MessageCount);
            Interlocked.Add(ref _bodyBytes, batch.BodyBytes);
            Interlocked.Exchange(ref _progress, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
            lock (_gate)
            {
                _batches.Messages.Record(batch.MessageCount);
                _batches.Bytes.Record(batch.BodyBytes);
            }
        }
        catch (Exception error)
        {
            _failed.TrySetException(error);
        }
    }
}
