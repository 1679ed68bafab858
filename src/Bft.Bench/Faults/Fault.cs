using Bft.Bench.Running;

namespace Bft.Bench.Faults;

/// <summary>Something that goes wrong with the odd witness, and is put right again.</summary>
/// <param name="Name">On the command line and in results.</param>
/// <param name="BeginAsync">Makes it so.</param>
/// <param name="EndAsync">Puts it right; the witness still has to catch up.</param>
internal sealed record Fault(string Name, Func<BenchCluster, CancellationToken, Task> BeginAsync, Func<BenchCluster, CancellationToken, Task> EndAsync)
{
    private static readonly TimeSpan SlowDelay = TimeSpan.FromMilliseconds(200);

    public static IReadOnlyList<Fault> All { get; } =
    [
        new("dead", (cluster, _) => cluster.KillAsync(cluster.Odd), (cluster, token) => cluster.RestartAsync(cluster.Odd, token)),
        new("slow", (cluster, _) => Delay(cluster, SlowDelay), (cluster, _) => Delay(cluster, TimeSpan.Zero)),
        Hostile("hostile", isGarbled: false),
        Hostile("garbling", isGarbled: true),
    ];

    private static Fault Hostile(string name, bool isGarbled) => new(
        name,
        async (cluster, token) => await cluster.ReplaceAsync(cluster.Odd, HostileParty.Arguments(cluster, await cluster.RunOfAsync(cluster.Odd, token), isGarbled), token),
        (cluster, token) => cluster.RestartAsync(cluster.Odd, token));

    private static Task Delay(BenchCluster cluster, TimeSpan delay)
    {
        cluster.SetDelay(delay);
        return Task.CompletedTask;
    }
}
