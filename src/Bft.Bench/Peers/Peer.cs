using Bft.Bench.Load;
using Bft.Bench.Results;

namespace Bft.Bench.Peers;

/// <summary>A system that can be measured here.</summary>
/// <param name="Name">For people, and in the names of cases.</param>
/// <param name="Id">In the names of figures.</param>
/// <param name="MayFail">The bench names a failure and goes on.</param>
/// <param name="StartAsync">Starts it anew.</param>
internal sealed record Peer(string Name, string Id, bool MayFail, Func<Payloads, CancellationToken, Task<IContender>> StartAsync)
{
    public static Peer Bft(int witnesses) => new("bft", "Bft", MayFail: false, (payloads, cancellationToken) => BftContender.StartAsync(witnesses, payloads, cancellationToken));

    /// <summary>Those that are installed. Says what each is, and names those that are not.</summary>
    public static async Task<IReadOnlyList<Peer>> FindAsync(IBenchOutput output, CancellationToken cancellationToken)
    {
        List<Peer> found = [];
        if (NatsServers.Program is null)
        {
            output.Noted("nats is left out: nats-server is not installed (Debian, Ubuntu: apt-get install nats-server).");
        }
        else
        {
            bool canFlush = await NatsServers.CanFlushAsync(cancellationToken);
            output.Noted($"nats is {await NatsServers.VersionAsync(cancellationToken)}: JetStream, a stream of 3 replicas in files on 3 servers, no TLS. Acked: a majority has the message; it is flushed later. "
                + (canFlush ? "nats-flushed is the same with sync_interval: always." : "This version cannot be told to flush before it acks (it refuses sync_interval: always)."));
            found.Add(new Peer("nats", "Nats", MayFail: true, (payloads, token) => NatsContender.StartAsync(isFlushed: false, payloads, token)));
            if (canFlush)
            {
                found.Add(new Peer("nats-flushed", "NatsFlushed", MayFail: true, (payloads, token) => NatsContender.StartAsync(isFlushed: true, payloads, token)));
            }
        }

        if (RabbitNodes.Program is null)
        {
            output.Noted("rabbitmq is left out: rabbitmq-server is not installed (Debian, Ubuntu: apt-get install rabbitmq-server).");
        }
        else
        {
            output.Noted($"rabbitmq is {RabbitNodes.Version}: a quorum queue on 3 nodes, publisher confirms, no TLS. Acked: a majority has flushed the message.");
            found.Add(new Peer("rabbitmq", "Rabbitmq", MayFail: true, RabbitContender.StartAsync));
        }

        return found;
    }
}
