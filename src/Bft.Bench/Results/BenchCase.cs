namespace Bft.Bench.Results;

/// <summary>What was measured in one case of a workload. A figure that could not be taken is absent.</summary>
/// <param name="Workload">For instance <c>throughput</c>.</param>
/// <param name="Name">For instance <c>100 B</c>; within its workload.</param>
/// <param name="Figures">In the order in which they are shown.</param>
public sealed record BenchCase(string Workload, string Name, IReadOnlyList<Figure> Figures);
