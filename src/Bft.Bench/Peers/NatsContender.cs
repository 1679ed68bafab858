using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Bft.Bench.Load;
using Bft.Bench.Running;

namespace Bft.Bench.Peers;

/// <summary>JetStream: a stream of three replicas in files, a publisher that awaits every PubAck, and a push consumer as NATS's own clients make it for an ordered reader.</summary>
/// <remarks>Publisher and consumer are connected to the servers that lead the stream and the consumer: the shortest way that NATS has.</remarks>
internal sealed class NatsContender : TalliedContender
{
    private const string Stream = "bench";
    private const string Subject = "bench.in";
    private const string Deliveries = "bench.out";
    private const string Acks = "bench.ack.";
    private const string FlowControl = "NATS/1.0 100";
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    private readonly NatsServers _servers;
    private readonly byte[] _subject = Encoding.ASCII.GetBytes(Subject);
    private readonly byte[] _acks = Encoding.ASCII.GetBytes(Acks);
    private NatsConnection? _publisher;
    private NatsConnection? _consumer;
    private long _acked; // of the publisher's reading thread

    private NatsContender(NatsServers servers, Payloads payloads)
        : base(payloads) => _servers = servers;

    public override IReadOnlyCollection<int> Servers => [.. _servers.Ids];

    public static async Task<IContender> StartAsync(bool isFlushed, Payloads payloads, CancellationToken cancellationToken) =>
        await OpenedAsync(new NatsContender(await NatsServers.StartAsync(isFlushed, cancellationToken), payloads), cancellationToken);

    public override async ValueTask DisposeAsync()
    {
        _publisher?.Dispose();
        _consumer?.Dispose();
        await _servers.DisposeAsync();
    }

    protected override async Task OpenAsync(CancellationToken cancellationToken)
    {
        using NatsConnection control = await NatsConnection.OpenAsync(_servers.AnyPort, cancellationToken);
        await WhenCreatedAsync(control, cancellationToken);
        string leader = await LeaderAsync(control, cancellationToken);
        JsonElement consumer = await control.RequestAsync(
            $"$JS.API.CONSUMER.CREATE.{Stream}",
            $$$"""{"stream_name":"{{{Stream}}}","config":{"deliver_subject":"{{{Deliveries}}}","deliver_policy":"all","ack_policy":"none","max_deliver":1,"replay_policy":"instant","flow_control":true,"idle_heartbeat":5000000000,"num_replicas":1,"mem_storage":true}}""",
            cancellationToken);
        string reader = consumer.TryGetProperty("cluster", out JsonElement cluster) && cluster.TryGetProperty("leader", out JsonElement name) ? name.GetString()! : leader;

        _consumer = await NatsConnection.OpenAsync(_servers.PortOf(reader), cancellationToken);
        _consumer.Subscribe(Deliveries, OnDelivery);
        _consumer.Flush();
        _publisher = await NatsConnection.OpenAsync(_servers.PortOf(leader), cancellationToken);
        _publisher.Subscribe(Acks + "*", OnAck);
        _publisher.Drained = () => Tally.OnAcked(_acked);
        foreach (NatsConnection connection in new[] { _consumer, _publisher })
        {
            _ = connection.Ended.ContinueWith(ended => Tally.Fail(ended.Exception?.InnerException ?? new PeerFailedException("closed")), TaskScheduler.Default);
        }
    }

    /// <summary>The servers must have found one another and elected a leader first.</summary>
    private static async Task WhenCreatedAsync(NatsConnection control, CancellationToken cancellationToken)
    {
        string body = string.Create(CultureInfo.InvariantCulture, $$"""{"name":"{{Stream}}","subjects":["{{Subject}}"],"retention":"limits","discard":"old","storage":"file","num_replicas":3,"max_consumers":-1,"max_msgs":-1,"max_bytes":{{BenchCluster.RetainBytes}},"max_age":0}""");
        long begin = Environment.TickCount64;
        while (true)
        {
            try
            {
                using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                patience.CancelAfter(TimeSpan.FromSeconds(5));
                await control.RequestAsync($"$JS.API.STREAM.CREATE.{Stream}", body, patience.Token);
                return;
            }
            catch (Exception error) when (error is PeerFailedException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                if (Environment.TickCount64 - begin > StartTime.TotalMilliseconds)
                {
                    throw new PeerFailedException($"No stream after {StartTime.TotalSeconds:0} s: {error.Message}");
                }

                await Task.Delay(Look, cancellationToken);
            }
        }
    }

    /// <summary>Also checks that there are three replicas, and that they are level.</summary>
    private static async Task<string> LeaderAsync(NatsConnection control, CancellationToken cancellationToken)
    {
        long begin = Environment.TickCount64;
        while (true)
        {
            JsonElement cluster = (await control.RequestAsync($"$JS.API.STREAM.INFO.{Stream}", "", cancellationToken)).GetProperty("cluster");
            if (cluster.TryGetProperty("leader", out JsonElement leader) && leader.GetString() is { Length: > 0 } name
                && cluster.TryGetProperty("replicas", out JsonElement replicas) && replicas.EnumerateArray().Count(replica => replica.GetProperty("current").GetBoolean()) == 2)
            {
                return name;
            }

            if (Environment.TickCount64 - begin > StartTime.TotalMilliseconds)
            {
                throw new PeerFailedException($"The stream has no leader with two followers after {StartTime.TotalSeconds:0} s.");
            }

            await Task.Delay(Look, cancellationToken);
        }
    }

    protected override ValueTask PublishAsync(long number)
    {
        _publisher!.Publish(_subject, _acks, number, Payload);
        return ValueTask.CompletedTask;
    }

    protected override void Flush() => _publisher!.Flush();

    /// <summary>PubAck: {"stream":"bench","seq":N}. The stream is ours alone, so message n has sequence n + 1.</summary>
    private void OnAck(in NatsFrame message)
    {
        ReadOnlySpan<byte> key = "\"seq\":"u8;
        int at = message.Payload.IndexOf(key);
        if (at < 0
            || !Utf8Parser.TryParse(message.Subject[Acks.Length..], out long number, out _)
            || !Utf8Parser.TryParse(message.Payload[(at + key.Length)..], out long sequence, out _)
            || message.Payload.IndexOf("\"error\""u8) >= 0
            || sequence != number + 1 || number != _acked)
        {
            Tally.Fail(new PeerFailedException($"Of message {_acked} JetStream says {Encoding.UTF8.GetString(message.Payload)} to {Encoding.UTF8.GetString(message.Subject)}."));
            return;
        }

        _acked++;
    }

    private void OnDelivery(in NatsFrame message)
    {
        if (message.Headers.IsEmpty)
        {
            Tally.OnDelivered(message.Payload);
            return;
        }

        // Flow control: the consumer gets more once it has answered. A heartbeat that tells of a stalled one names the same subject in its headers.
        if (!message.Headers.StartsWith(Encoding.ASCII.GetBytes(FlowControl)))
        {
            Tally.Fail(new PeerFailedException($"JetStream's consumer ends: {Encoding.UTF8.GetString(message.Headers).Trim()}"));
        }
        else if (!message.Reply.IsEmpty)
        {
            _consumer!.PublishEmpty(message.Reply);
        }
        else if (StalledOn(message.Headers) is { IsEmpty: false } subject)
        {
            _consumer!.PublishEmpty(subject);
        }
    }

    private static ReadOnlySpan<byte> StalledOn(ReadOnlySpan<byte> headers)
    {
        ReadOnlySpan<byte> key = "Nats-Consumer-Stalled:"u8;
        int at = headers.IndexOf(key);
        ReadOnlySpan<byte> rest = at < 0 ? default : headers[(at + key.Length)..];
        int end = rest.IndexOf("\r\n"u8);
        return end < 0 ? default : rest[..end].Trim((byte)' ');
    }
}
