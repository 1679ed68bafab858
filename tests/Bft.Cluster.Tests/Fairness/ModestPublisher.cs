using System.Diagnostics;
using Bft.Client;
using Bft.Cluster.Tests.Support;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;

namespace Bft.Cluster.Tests.Fairness;

/// <summary>A publisher with a rate of its own, and how long its messages took: from when each was due to its certificate, so that what waits to be sent counts too.</summary>
internal static class ModestPublisher
{
    public static async Task<Latencies> RunAsync(ProcessCluster cluster, string name, Topic topic, double perSecond, TimeSpan time)
    {
        await using BftClient client = cluster.Connect(name);
        await using Publisher publisher = await client.OpenPublisherAsync(topic, new PublisherOptions { KeepJournal = false }, ProcessCluster.Deadline);
        Message message = new(new byte[GreedyProcess.MessageBytes]);
        await publisher.PublishAsync(message, ProcessCluster.Deadline);

        int count = (int)(perSecond * time.TotalSeconds);
        double[] took = new double[count];
        Task[] certified = new Task[count];
        long begun = Stopwatch.GetTimestamp();
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(1));
        for (int sent = 0; sent < count;)
        {
            await timer.WaitForNextTickAsync(CancellationToken.None);
            for (; sent < count && sent / perSecond <= Stopwatch.GetElapsedTime(begun).TotalSeconds; sent++)
            {
                certified[sent] = TimeAsync((await publisher.SendAsync(message, ProcessCluster.Deadline)).Certified, begun, sent / perSecond, took, sent);
            }
        }

        await Task.WhenAll(certified).WaitAsync(ProcessCluster.Patience);
        double seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        Array.Sort(took);
        return new Latencies(took, count / seconds / perSecond);
    }

    private static async Task TimeAsync(Task certified, long begun, double due, double[] took, int index)
    {
        await certified;
        took[index] = 1000 * (Stopwatch.GetElapsedTime(begun).TotalSeconds - due);
    }
}

/// <param name="Sorted">Unit: milliseconds.</param>
/// <param name="Met">Certified messages per second, as a part of what was wanted.</param>
internal sealed record Latencies(double[] Sorted, double Met)
{
    public double Median => Sorted[Sorted.Length / 2];

    public double P99 => Sorted[(int)(Sorted.Length * 0.99)];
}
