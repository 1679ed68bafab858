using System.Diagnostics;
using System.Threading.Channels;
using Bft.Client;
using Bft.Protocol.Bodies;

namespace Bft.Cli.Publishing;

/// <summary>Messages on their way: hands them to the publisher, and follows their batches until they are certified.</summary>
internal sealed class PublishRun : IAsyncDisposable
{
    /// <summary>Batches sent and not yet seen certified; beyond it sending waits, so that kept bodies are bounded.</summary>
    private const int BatchesMax = 64;

    private readonly Publisher _publisher;
    private readonly Stream? _receipts;
    private readonly Action<CertifiedBatch> _onCertified;
    private readonly Channel<Task<CertifiedBatch>> _batches = Channel.CreateBounded<Task<CertifiedBatch>>(new BoundedChannelOptions(BatchesMax) { SingleReader = true, SingleWriter = true });
    private readonly Task _following;
    private readonly long _begun = Stopwatch.GetTimestamp();
    private long _sent;
    private long _certified;

    /// <param name="publisher">Keeps receipts if <paramref name="receipts"/> is given.</param>
    /// <param name="receipts">Receipts are written here, one per batch, as the batches are certified; null for none.</param>
    /// <param name="onCertified">Told of each batch, in order.</param>
    public PublishRun(Publisher publisher, Stream? receipts, Action<CertifiedBatch> onCertified)
    {
        _publisher = publisher;
        _receipts = receipts;
        _onCertified = onCertified;
        _following = Task.Run(FollowAsync);
    }

    /// <summary>Messages handed over.</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Payload bytes handed over.</summary>
    public long Bytes { get; private set; }

    /// <summary>Messages certified; the first ones sent, since batches are certified in order.</summary>
    public long Certified => Volatile.Read(ref _certified);

    public long Batches { get; private set; }

    /// <summary>The fewest witnesses that signed for one batch.</summary>
    public int WitnessesMin { get; private set; } = int.MaxValue;

    public ulong LastSequence { get; private set; }

    public bool IsWaiting => Certified < Sent;

    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_begun);

    /// <summary>Hands a message over; its bytes are free again when this completes.</summary>
    /// <exception cref="ArgumentException">No batch of this cluster can hold it.</exception>
    /// <exception cref="ChannelClosedException">A batch before failed; the inner exception says why.</exception>
    public ValueTask SendAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        // A million lines must not cost a state machine each.
        ValueTask<PublishTicket> sending = _publisher.SendAsync(new Message(payload), cancellationToken);
        if (!sending.IsCompletedSuccessfully)
        {
            return new ValueTask(AcceptAsync(sending, payload.Length, cancellationToken));
        }

        PublishTicket ticket = sending.Result;
        return Accept(ticket, payload.Length) || _batches.Writer.TryWrite(ticket.Certified) ? ValueTask.CompletedTask : _batches.Writer.WriteAsync(ticket.Certified, cancellationToken);
    }

    /// <summary>Waits until all that was sent is certified and its receipts are written.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        _batches.Writer.TryComplete();
        await _following.WaitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _batches.Writer.TryComplete();
        await _publisher.DisposeAsync();
        await _following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task AcceptAsync(ValueTask<PublishTicket> sending, int length, CancellationToken cancellationToken)
    {
        PublishTicket ticket = await sending;
        if (!Accept(ticket, length))
        {
            await _batches.Writer.WriteAsync(ticket.Certified, cancellationToken);
        }
    }

    /// <summary>Counts it; false when it is the first message of a batch that is yet to be followed.</summary>
    private bool Accept(in PublishTicket ticket, int length)
    {
        Volatile.Write(ref _sent, _sent + 1);
        Bytes += length;
        return ticket.Position != 0;
    }

    private async Task FollowAsync()
    {
        try
        {
            await foreach (Task<CertifiedBatch> certifying in _batches.Reader.ReadAllAsync())
            {
                CertifiedBatch batch = await certifying;
                if (_receipts is not null)
                {
                    await _receipts.WriteAsync(batch.ToReceipt().Encode());
                }

                Batches++;
                WitnessesMin = Math.Min(WitnessesMin, batch.Certificate.WitnessCount);
                LastSequence = batch.Sequence.Value;
                Volatile.Write(ref _certified, _certified + batch.MessageCount);
                _onCertified(batch);
            }
        }
        catch (Exception error)
        {
            // Whoever sends on is told why.
            _batches.Writer.TryComplete(error);
            throw;
        }
    }
}
