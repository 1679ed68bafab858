using System.Globalization;
using Bft.Bench.Load;
using Bft.Bench.Measuring;
using Bft.Bench.Results;
using Bft.Bench.Running;
using Bft.Client;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;

namespace Bft.Bench;

/// <summary>What a stream costs a witness that nobody publishes in any more: resident memory before and after many of them, a message in each.</summary>
internal static class IdleStreamsWorkload
{
    private const string Name = "idle-streams";
    private const int AtOnce = 16;

    public static async Task RunAsync(BenchOptions options, IBenchOutput output, CancellationToken cancellationToken)
    {
        output.Doing(Name);
        await using BenchCluster cluster = await BenchCluster.StartAsync(options.Witnesses, hasSlowLinks: false, cancellationToken);
        BftClient client = cluster.Connect(BenchCluster.PublisherName(0));
        Payloads payloads = new(options.Seed, options.Size);

        // The same again first, so that code and buffers are there before anything is compared.
        int opened = 0;
        await OpenAsync(options.Streams / 4);
        long[] before = Resident(cluster);
        await OpenAsync(options.Streams);
        long[] after = Resident(cluster);

        output.Measured(new BenchCase(Name, string.Create(CultureInfo.InvariantCulture, $"{options.Streams} streams"), [
            .. ClosedLoopWorkload.Describe(cluster, options.Size),
            new("streams", "streams", options.Streams),
            new("residentBytesPerStream", "resident bytes per stream, mean of the witnesses", after.Zip(before, (late, early) => late - early).Average() / options.Streams),
            new("residentMebibytes", "resident memory of a witness at the end (MiB, max)", after.Max() / 1024.0 / 1024.0),
        ]));

        async Task OpenAsync(int count)
        {
            int end = opened + count;
            await Parallel.ForEachAsync(Enumerable.Range(opened, count), new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, async (index, token) =>
            {
                byte[] payload = new byte[options.Size];
                payloads.Write(index, payload);
                Topic topic = new(string.Create(CultureInfo.InvariantCulture, $"idle.{index}"));
                await using Publisher publisher = await client.OpenPublisherAsync(topic, new PublisherOptions { KeepJournal = false }, token);
                await publisher.PublishAsync(new Message(payload), token);
                output.Doing(string.Create(CultureInfo.InvariantCulture, $"{Name}: {Interlocked.Increment(ref opened)} streams"));
            });
            opened = end;
        }
    }

    private static long[] Resident(BenchCluster cluster) => [.. cluster.Witnesses.Select(witness => ProcessUsage.Of(witness!.Id)?.ResidentBytes ?? 0)];
}
