using Bft.Protocol.Bodies;
using Bft.Protocol.Model;

namespace Bft.Client;

/// <summary>Publishes in one topic. Thread-safe; made by <see cref="BftClient.OpenPublisherAsync"/>.</summary>
public sealed class Publisher : IAsyncDisposable
{
    private readonly PublisherOptions _options;
    private readonly BatchFiller _filler;
    private readonly PublisherLoop _loop;
    private readonly PublisherFolder? _folder;
    private readonly Action<Publisher> _onDisposed;
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _running;
    private int _isDisposed;

    internal Publisher(Topic topic, PublisherOptions options, BatchFiller filler, PublisherLoop loop, PublisherFolder? folder, Action<Publisher> onDisposed)
    {
        Topic = topic;
        _options = options;
        _filler = filler;
        _loop = loop;
        _folder = folder;
        _onDisposed = onDisposed;
        _running = Task.WhenAll([Task.Run(() => loop.RunAsync(_ending.Token)), .. loop.Links.Select(link => Task.Run(() => link.RunAsync(_ending.Token)))]);
    }

    public Topic Topic { get; }

    /// <summary>The stream that batches go to now; null until n − f witnesses said what they hold of us (P7). A new incarnation changes it.</summary>
    public StreamHeader? Stream => _loop.Header;

    /// <summary>Hands a message over. Its bytes are copied, so the caller's buffers are free once this returns a completed task.</summary>
    /// <returns>A ticket, once the message is accepted; waits while there is no room (P4), if <see cref="PublisherOptions.WhenFull"/> says so.</returns>
    /// <exception cref="ArgumentException">No batch of this cluster can hold the message.</exception>
    /// <exception cref="PublishException">The publisher has ended, or is full.</exception>
    public ValueTask<PublishTicket> SendAsync(in Message message, CancellationToken cancellationToken = default) => AcceptAsync(message, _options.KeepReceipts, cancellationToken);

    /// <summary>Hands many messages over, in order. Cheaper than one call each where they are many.</summary>
    /// <returns>The ticket of the last one; its batch is certified after all before it.</returns>
    /// <exception cref="ArgumentException">There are none, or no batch of this cluster can hold one of them; those before it are sent.</exception>
    /// <exception cref="PublishException">The publisher has ended, or is full.</exception>
    public async ValueTask<PublishTicket> SendManyAsync(ReadOnlyMemory<Message> messages, CancellationToken cancellationToken = default)
    {
        if (messages.IsEmpty)
        {
            throw new ArgumentException("There is no message.", nameof(messages));
        }

        PublishTicket ticket = default;
        for (int i = 0; i < messages.Length; i++)
        {
            ticket = await SendAsync(messages.Span[i], cancellationToken).ConfigureAwait(false);
        }

        return ticket;
    }

    /// <summary>Publishes a message and waits until it is certified (P5). Its receipt can be made from what this returns.</summary>
    /// <exception cref="ArgumentException">No batch of this cluster can hold the message.</exception>
    /// <exception cref="PublishException">The publisher has ended, or is full.</exception>
    public async ValueTask<PublishedMessage> PublishAsync(Message message, CancellationToken cancellationToken = default)
    {
        PublishTicket ticket = await AcceptAsync(message, keepBody: true, cancellationToken).ConfigureAwait(false);
        return new PublishedMessage(await ticket.Certified.WaitAsync(cancellationToken).ConfigureAwait(false), ticket.Position);
    }

    /// <summary>Waits until all that was sent before is certified.</summary>
    /// <exception cref="PublishException">The publisher has ended.</exception>
    public Task FlushAsync(CancellationToken cancellationToken = default) => _filler.Last is { } last ? last.Certified.WaitAsync(cancellationToken) : Task.CompletedTask;

    /// <summary>Waits for what was sent, at most <see cref="PublisherOptions.DisposeTimeout"/>, then ends. What is not certified by then fails, or goes on with the journal's next start.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        if (_filler.Last is { } last)
        {
            Task certified = last.Certified.WaitAsync(_options.DisposeTimeout);
            await certified.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await _ending.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _folder?.Dispose();
        _ending.Dispose();
        _onDisposed(this);
    }

    private ValueTask<PublishTicket> AcceptAsync(in Message message, bool keepBody, CancellationToken cancellationToken)
    {
        AddOutcome outcome = _filler.TryAdd(message, keepBody, out PublishTicket ticket);
        if (outcome == AddOutcome.NoRoom)
        {
            return _options.WhenFull == WhenFull.Fail ? throw new PublisherFullException(Topic) : WaitAndSendAsync(message, keepBody, cancellationToken);
        }

        if (outcome == AddOutcome.AddedFirst)
        {
            _loop.Wake();
        }

        return ValueTask.FromResult(ticket);
    }

    private async ValueTask<PublishTicket> WaitAndSendAsync(Message message, bool keepBody, CancellationToken cancellationToken)
    {
        while (true)
        {
            await _filler.RoomFreed.WaitAsync(cancellationToken).ConfigureAwait(false);
            AddOutcome outcome = _filler.TryAdd(message, keepBody, out PublishTicket ticket);
            if (outcome != AddOutcome.NoRoom)
            {
                _loop.Wake();
                return ticket;
            }
        }
    }
}
