using Bft.Bench.Load;
using RabbitMQ.Client;

namespace Bft.Bench.Peers;

/// <summary>A quorum queue on three nodes, a publisher with confirms, and a consumer that acknowledges; through RabbitMQ's own client.</summary>
/// <remarks>Both are connected to the node that leads the queue. Confirms are counted here, for the client's own tracking allocates a task for each message.</remarks>
internal sealed class RabbitContender : IContender
{
    private const string Queue = "bench";

    private readonly RabbitNodes _nodes;
    private readonly Tally _tally;
    private readonly byte[] _payload;
    private readonly BasicProperties _properties = new() { Persistent = true };
    private readonly CachedString _exchange = new("");
    private readonly CachedString _key = new(Queue);
    private readonly HashSet<ulong> _early = []; // confirmed before others; bound: the window
    private readonly List<IConnection> _connections = [];
    private IChannel? _publisher;
    private ulong _confirmed; // all up to here; of the connection's reading loop

    private RabbitContender(RabbitNodes nodes, Payloads payloads)
    {
        _nodes = nodes;
        _tally = new Tally(payloads);
        _payload = new byte[payloads.Size];
    }

    public long Sent => _tally.Sent;

    public long Acked => _tally.Acked;

    public long Delivered => _tally.Delivered;

    public Task Failed => _tally.Failed;

    public IReadOnlyCollection<int> Servers => [.. _nodes.Ids];

    public LatencyProbe? Probe
    {
        set => _tally.Probe = value;
    }

    public static async Task<IContender> StartAsync(Payloads payloads, CancellationToken cancellationToken)
    {
        RabbitContender contender = new(await RabbitNodes.StartAsync(cancellationToken), payloads);
        try
        {
            await contender.OpenAsync(cancellationToken);
            return contender;
        }
        catch
        {
            await contender.DisposeAsync();
            throw;
        }
    }

    public Task SendAsync(int window, CancellationToken cancellationToken) => Task.Factory.StartNew(
        () =>
        {
            while (!cancellationToken.IsCancellationRequested && !Failed.IsCompleted)
            {
                if (!_tally.HasRoom(window))
                {
                    _tally.WaitForRoom(window, cancellationToken);
                }
                else
                {
                    Send().AsTask().GetAwaiter().GetResult(); // mostly at once, and then without a task of its own
                }
            }
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);

    public Task SendOneAsync() => Send().AsTask();

    public async ValueTask DisposeAsync()
    {
        try
        {
            foreach (IConnection connection in _connections)
            {
                await connection.DisposeAsync();
            }
        }
        finally
        {
            await _nodes.DisposeAsync();
        }
    }

    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        _publisher = await ConnectAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: false), cancellationToken);
        Dictionary<string, object?> arguments = new(StringComparer.Ordinal) { ["x-queue-type"] = "quorum", ["x-quorum-initial-group-size"] = RabbitNodes.Count };
        await _publisher.QueueDeclareAsync(Queue, durable: true, exclusive: false, autoDelete: false, arguments, cancellationToken: cancellationToken);
        if (await _nodes.MembersAsync(Queue, cancellationToken) is var members and not RabbitNodes.Count)
        {
            throw new PeerFailedException($"The quorum queue is on {members} nodes, not {RabbitNodes.Count}.");
        }

        _publisher.BasicAcksAsync += (_, confirm) =>
        {
            OnConfirm(confirm.DeliveryTag, confirm.Multiple);
            return Task.CompletedTask;
        };
        _publisher.BasicNacksAsync += (_, refusal) => FailAsync($"RabbitMQ refused message {refusal.DeliveryTag - 1}.");

        IChannel consumer = await ConnectAsync(new CreateChannelOptions(publisherConfirmationsEnabled: false, publisherConfirmationTrackingEnabled: false), cancellationToken);
        await consumer.BasicQosAsync(0, Reader.Prefetch, global: false, cancellationToken);
        await consumer.BasicConsumeAsync(Queue, autoAck: false, new Reader(consumer, _tally), cancellationToken);
    }

    private async Task<IChannel> ConnectAsync(CreateChannelOptions options, CancellationToken cancellationToken)
    {
        ConnectionFactory factory = new() { HostName = "127.0.0.1", Port = _nodes.Port, AutomaticRecoveryEnabled = false, TopologyRecoveryEnabled = false };
        IConnection connection = await factory.CreateConnectionAsync(cancellationToken);
        _connections.Add(connection);
        connection.ConnectionShutdownAsync += (_, end) => FailAsync($"RabbitMQ closed the connection: {end.ReplyText}");
        IChannel channel = await connection.CreateChannelAsync(options, cancellationToken);
        channel.ChannelShutdownAsync += (_, end) => FailAsync($"RabbitMQ closed the channel: {end.ReplyText}");
        return channel;
    }

    private Task FailAsync(string problem)
    {
        _tally.Fail(new PeerFailedException(problem));
        return Task.CompletedTask;
    }

    private ValueTask Send()
    {
        _tally.Payloads.Write(_tally.Sent, _payload);
        _tally.OnSending();
        return _publisher!.BasicPublishAsync(_exchange, _key, mandatory: false, _properties, _payload);
    }

    /// <summary>Tags count from 1.</summary>
    private void OnConfirm(ulong tag, bool isMultiple)
    {
        if (isMultiple)
        {
            _confirmed = Math.Max(_confirmed, tag);
            _early.RemoveWhere(early => early <= _confirmed);
        }
        else
        {
            _early.Add(tag);
        }

        while (_early.Remove(_confirmed + 1))
        {
            _confirmed++;
        }

        _tally.OnAcked((long)_confirmed);
    }

    private sealed class Reader(IChannel channel, Tally tally) : AsyncDefaultBasicConsumer(channel)
    {
        public const ushort Prefetch = 2000;

        /// <summary>Messages per acknowledgement: well below the prefetch, so that there is always more under way.</summary>
        private const int AckEvery = 200;

        public override async Task HandleBasicDeliverAsync(string consumerTag, ulong deliveryTag, bool redelivered, string exchange, string routingKey, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancellationToken = default)
        {
            tally.OnDelivered(body.Span);
            if (deliveryTag % AckEvery == 0)
            {
                await Channel.BasicAckAsync(deliveryTag, multiple: true, cancellationToken);
            }
        }
    }
}
