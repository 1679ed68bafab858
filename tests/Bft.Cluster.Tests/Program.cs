using Bft.Cluster.Tests.Hostile;
using Bft.Cluster.Tests.Support;

// The attacker of FullFloodTests, in a process of its own: floods again and again, and prints a line whenever the witness has dropped all of one.
Floods floods = new(ProcessCluster.In(args[0]));
while (true)
{
    using CancellationTokenSource deadline = new(5 * ProcessCluster.Patience);
    await floods.RunAsync(args[1], deadline.Token);
    Console.WriteLine("dropped");
}
