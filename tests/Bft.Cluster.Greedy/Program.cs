using System.Globalization;
using Bft.Client;
using Bft.Configuration;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;

// greedy CLUSTER.YAML TOPIC MESSAGE-BYTES BATCH-BYTES IN-FLIGHT CLIENT…
// Publishers that always want more, until standard input ends. Each line read is answered with the messages that each of them had certified.
ClusterFile cluster = ClusterFile.Load(args[0]);
Topic topic = new(args[1]);
byte[] payload = new byte[int.Parse(args[2], CultureInfo.InvariantCulture)];
int batchBytes = int.Parse(args[3], CultureInfo.InvariantCulture);
int inFlightMax = int.Parse(args[4], CultureInfo.InvariantCulture);
string[] names = args[5..];
long[] certified = new long[names.Length];
using CancellationTokenSource over = new();
Task running = Task.WhenAll(names.Select((name, index) => Task.Run(() => PublishAsync(name, index))));
while (await Console.In.ReadLineAsync() is not null)
{
    await Console.Out.WriteLineAsync(string.Join(' ', certified.Select((_, index) => Volatile.Read(ref certified[index]))));
}

await over.CancelAsync();
await running;

async Task PublishAsync(string name, int index)
{
    try
    {
        string folder = Path.Combine(Path.GetDirectoryName(args[0])!, "clients", name);
        await using BftClient client = BftClient.Connect(new BftClientOptions { Cluster = cluster, KeyFile = Path.Combine(folder, "identity.key") });
        await using Publisher publisher = await client.OpenPublisherAsync(topic, new PublisherOptions { BatchBytesTarget = batchBytes, KeepJournal = false, DisposeTimeout = TimeSpan.Zero }, over.Token);
        Message[] batch = [.. Enumerable.Repeat(new Message(payload), Math.Max(1, batchBytes / payload.Length))];
        Queue<Task> inFlight = new();
        while (!over.IsCancellationRequested)
        {
            while (inFlight.Count >= inFlightMax || (inFlight.TryPeek(out Task? oldest) && oldest.IsCompleted))
            {
                await inFlight.Dequeue().WaitAsync(over.Token);
                Interlocked.Add(ref certified[index], batch.Length);
            }

            inFlight.Enqueue((await publisher.SendManyAsync(batch, over.Token)).Certified);
        }
    }
    catch (OperationCanceledException)
    {
        // Enough.
    }
    catch (Exception e)
    {
        await Console.Error.WriteLineAsync($"{name}: {e.Message}");
    }
}
