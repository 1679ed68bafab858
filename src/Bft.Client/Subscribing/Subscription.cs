using System.Runtime.CompilerServices;
using Bft.Protocol;
using Bft.Protocol.Model;
using Cursor = Bft.Protocol.Receiving.Cursor;

namespace Bft.Client;

/// <summary>Reads one topic: history and live as one ordered path (R7). Made by <see cref="BftClient.SubscribeAsync"/>; one reader at a time.</summary>
/// <remarks>It goes on by itself, with another witness, whatever happens to one of them; what ends it is an exception from the enumeration that says why.</remarks>
public sealed class Subscription : IAsyncEnumerable<Delivery>, IAsyncDisposable
{
    private readonly ClusterLimits _limits;
    private readonly SubscriberLoop _loop;
    private readonly CursorFile? _cursor;
    private readonly CursorReader _reader;
    private readonly Action<Subscription> _onDisposed;
    private readonly CancellationTokenSource _ending;
    private readonly Task _running;
    private DeliveredBatch? _current;
    private int _taken;
    private int _isDisposed;

    internal Subscription(
        Topic topic, ClusterLimits limits, SubscriberLoop loop, CursorFile? cursor, Cursor start, CancellationTokenSource ending, Task running, Action<Subscription> onDisposed)
    {
        Topic = topic;
        _limits = limits;
        _loop = loop;
        _cursor = cursor;
        _reader = new CursorReader(cursor?.Store, start);
        _ending = ending;
        _running = running;
        _onDisposed = onDisposed;
    }

    public Topic Topic { get; }

    /// <summary>Bodies received and not yet taken, the one in hand included. Unit: bytes.</summary>
    public long WaitingBytes => _loop.Driver.Credit.Bytes;

    /// <summary>Message by message. Each is valid until the enumeration moves on; copy what is kept longer. An enumeration goes on where the last one was left.</summary>
    /// <exception cref="SubscriptionException">Why the subscription cannot go on.</exception>
    public async IAsyncEnumerator<Delivery> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        while (_current is not null || await MoveNextAsync(cancellationToken).ConfigureAwait(false))
        {
            while (_taken < _current!.Count)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return _current[_taken++];
            }

            GiveBack();
        }
    }

    /// <summary>Batch by batch: the fast way. Each is valid until the enumeration moves on.</summary>
    /// <exception cref="SubscriptionException">Why the subscription cannot go on.</exception>
    public async IAsyncEnumerable<DeliveredBatch> ReadBatchesAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        GiveBack();
        while (await MoveNextAsync(cancellationToken).ConfigureAwait(false))
        {
            _taken = _current!.Count;
            yield return _current;
            GiveBack();
        }
    }

    /// <summary>R3: makes durable that this message, and all before it in its stream, are done. A commit below an earlier one changes nothing.</summary>
    /// <remarks>Without <see cref="SubscriptionOptions.CursorName"/> there is nothing to do.</remarks>
    /// <exception cref="Bft.Storage.DiskException">The cursor's disk refused; nothing more is committed.</exception>
    public Task CommitAsync(Delivery delivery, CancellationToken cancellationToken = default) =>
        _cursor?.CommitAsync(delivery.Stream, delivery.Batch.PositionAfter(delivery.Position), cancellationToken) ?? Task.CompletedTask;

    /// <inheritdoc cref="CommitAsync(Delivery, CancellationToken)"/>
    public Task CommitAsync(DeliveredBatch batch, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return _cursor?.CommitAsync(batch.Header.Id, batch.PositionAfter(batch.Count - 1), cancellationToken) ?? Task.CompletedTask;
    }

    /// <summary>Ends the subscription. What was delivered and not committed comes again, marked.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        await _ending.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        GiveBack();
        while (_loop.Deliveries.TryRead(out DeliveryInOrder next))
        {
            next.Covered.Batch.BodyOwner?.Dispose();
        }

        if (_cursor is not null)
        {
            await _cursor.CloseAsync(_reader.Delivered).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _cursor.Dispose();
        }

        _ending.Dispose();
        _onDisposed(this);
    }

    /// <summary>Makes the next batch the current one; false when the subscription was disposed.</summary>
    private async ValueTask<bool> MoveNextAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        while (await _loop.Deliveries.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (_loop.Deliveries.TryPeek(out DeliveryInOrder next))
            {
                (StreamId stream, Sequence sequence) = (next.Covered.Batch.Reference.Stream, next.Covered.Batch.Sequence);
                if (!_reader.IsLeased(stream, sequence))
                {
                    await _cursor!.LeaseAsync(stream, sequence, cancellationToken).ConfigureAwait(false);
                }

                _loop.Deliveries.TryRead(out _);
                _current = new DeliveredBatch(next.Covered, _reader.Take(stream, sequence), next.IsPossibleRepeat, _limits);
                _taken = _current.FirstPosition;
                return true;
            }
        }

        return false;
    }

    private void GiveBack()
    {
        if (_current is { } batch)
        {
            _current = null;
            _loop.Driver.OnTaken(batch.BodyLength);
            batch.GiveBack();
        }
    }
}
