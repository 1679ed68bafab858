namespace Bft.Sim;

/// <summary>One run: a whole cluster on one thread, from one seed.</summary>
public static class Run
{
    /// <summary>Performs a run to its end, or to the first violation.</summary>
    /// <param name="request">Which.</param>
    /// <param name="withTrace">Whether its log is wanted; it costs time and memory, and changes nothing else.</param>
    public static RunResult Perform(RunRequest request, bool withTrace = false)
    {
        ArgumentNullException.ThrowIfNull(request);
        Simulation simulation = new(new Choices(request.Seed, request.Removed), withTrace ? new Trace() : null);
        SimulatedCluster cluster = new(simulation, request.Plan);
        cluster.Checks.AddRange(Checkers.All());
        if (request.Scenario is { } name)
        {
            Scenario scenario = Scenarios.Find(name) ?? throw new ArgumentException($"There is no scenario '{name}'.", nameof(request));
            scenario.Direct?.Invoke(new Stage(cluster));
        }

        cluster.Run();
        return new RunResult(request)
        {
            Hash = simulation.Hash.Value,
            Events = simulation.Events,
            Deliveries = simulation.Deliveries,
            VirtualTime = simulation.Now,
            Violation = cluster.Violation,
            Expected = cluster.Checks.Find(check => check.Expected is not null)?.Expected,
            Faults = simulation.Choices.Faults,
            Arrivals = cluster.Network.Arrivals,
            Probes = simulation.Probes,
            Excuses = cluster.Excuses,
            Parties = cluster.Parties,
            Trace = simulation.Trace,
        };
    }
}
