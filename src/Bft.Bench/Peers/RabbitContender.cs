using Bft.Bench.Load;
using RabbitMQ.Client;

namespace Bft.Bench.Peers;

/// <summary>A quorum queue on three nodes, a publisher with confirms, and a consumer that acknowledges; through RabbitMQ's own client.</summary>
/// <remarks>Both are connected to the node that leads the queue. Confirms are counted here, for the client's own tracking allocates a task for each message.</remarks>
internal sealed class RabbitContender : TalliedContender
{
    private const string Queue = "bench";

    private readonly RabbitNodes _nodes;
    private readonly BasicProperties _properties = new() { Persistent = true };
    private readonly CachedString _exchange = new("");
    private readonly CachedString _key = new(Queue);
    private readonly HashSet<ulong> _early = []; // confirmed before others; bound: the window
    private readonly List<IConnection> _connections = [];
    private IChannel? _publisher;
    private ulong _confirmed; // all up to here; of the connection's reading loop

    private RabbitContender(RabbitNodes nodes, Payloads payloads)
        : base(payloads) => _nodes = nodes;

    public override IReadOnlyCollection<int> Servers => [.. _nodes.Ids];

    public static async Task<IContender> StartAsync(Payloads payloads, CancellationToken cancellationToken) =>
        await OpenedAsync(new RabbitContender(await RabbitNodes.StartAsync(cancellationToken), payloads), cancellationToken);

    public override async ValueTask DisposeAsync()
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

    protected override async Task OpenAsync(CancellationToken cancellationToken)
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
        await consumer.BasicConsumeAsync(Queue, autoAck: false, new Reader(consumer, Tally), cancellationToken);
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
        Tally.Fail(new PeerFailedException(problem));
        return Task.CompletedTask;
    }

    protected override ValueTask PublishAsync(long number) => _publisher!.BasicPublishAsync(_exchange, _key, mandatory: false, _properties, Payload);

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

        Tally.OnAcked((long)_confirmed);
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
