using System.Globalization;
using System.Text;

namespace Bft.Sim;

/// <summary>What runs gave, for people.</summary>
internal static class SummaryText
{
    private const int FindingsShown = 20;

    public static string OfRun(RunResult result, TimeSpan real)
    {
        RunPlan plan = result.Request.Plan;
        string byzantine = plan.Byzantine.Count + plan.ByzantinePublishers + plan.ByzantineReceivers == 0 ? "no Byzantine party"
            : $"Byzantine: {string.Join(", ", plan.Byzantine.Select(kind => kind.ToString().ToLowerInvariant()).Concat(Enumerable.Repeat("publisher", plan.ByzantinePublishers)).Concat(Enumerable.Repeat("receiver", plan.ByzantineReceivers)))}";
        int faults = result.Faults.Count(fault => fault.Id.Stream != ChoiceStream.Workload);
        return string.Create(CultureInfo.InvariantCulture, $"""
            seed {result.Request.Seed}, {result.Request.Scenario ?? result.Request.Profile}: n = {plan.Witnesses} (f = {plan.FaultyMax}), {byzantine}; {plan.Publishers} publishers, {plan.Receivers} receivers, {plan.Broadcasts} broadcasts; {faults} faults
            {result.Events:N0} events, {result.Deliveries:N0} deliveries, {result.VirtualTime / 1e9:0.0} s virtual in {real.TotalMilliseconds:0.0} ms{(result.Excuses.Count == 0 ? "" : $"; excuses: {Counts(result.Excuses)}")}
            {(result.Probes.Count == 0 ? "" : $"reached: {Counts(result.Probes)}\n")}{(result.Violation is null ? "all properties held" : "a property did not hold")}; hash {result.Hash}
            """);
    }

    public static string OfMany(Summary summary)
    {
        Tally tally = summary.Tally;
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"""
            {summary.Profile}: {tally.Runs:N0} runs ({tally.Repeated:N0} of them twice), {tally.Events:N0} events, {tally.Deliveries:N0} deliveries
            {tally.VirtualSeconds:N0} s virtual in {summary.RealSeconds:N1} s on {summary.Cores} cores: {summary.PerSecond(tally.VirtualSeconds):N0} times as fast
            {summary.PerSecond(tally.Runs):N1} runs/s, {summary.PerSecond(tally.Events):N0} events/s, {summary.PerSecond(tally.Deliveries):N0} deliveries/s ({summary.PerSecond(tally.Deliveries) / summary.Cores:N0} per core)

            """);
        Append(text, "reached", tally.Probes);
        if (tally.ProbesNeverFired.Any())
        {
            text.Append(CultureInfo.InvariantCulture, $"never reached: {string.Join(", ", tally.ProbesNeverFired)}\n");
        }

        Append(text, "excuses", tally.Excuses);
        int expected = tally.Findings.Count - tally.FailureCount;
        foreach (Finding finding in tally.Failures.Take(FindingsShown).Concat(tally.Findings.Where(finding => finding.IsExpected).Take(3)))
        {
            text.Append('\n').Append(OfFinding(finding)).Append('\n');
        }

        text.Append(CultureInfo.InvariantCulture, $"\n{(summary.IsInterrupted ? "Interrupted. " : "")}{(tally.FailureCount == 0 ? "No violation." : $"{tally.FailureCount} of {tally.Runs:N0} runs failed.")}");
        text.Append(expected == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" {expected}{(expected == Campaign.ExpectedKept ? " or more" : "")} findings, as expected there."));
        return text.ToString();
    }

    public static string OfFinding(Finding finding)
    {
        string word = finding.IsExpected ? "SEEN, as expected" : "FAILED";
        string shrunk = finding.ShrunkEvents is { } events ? string.Create(CultureInfo.InvariantCulture, $"{events} events are left") : "not shrunk";
        string kept = finding.Artefact is { } artefact
            ? $"\n  smallest  {Reproduction.Replay(artefact)} --log   ({shrunk})\n  picture   {Path.ChangeExtension(artefact, ".html")}"
            : "";
        return string.Create(CultureInfo.InvariantCulture, $"""
            {word}  seed {finding.Request.Seed}: {finding.Violation.Checker} at {finding.Violation.At / 1e9:0.000} s: {finding.Violation.Text}
              again     {Reproduction.Command(finding.Request)} --log
            """) + kept;
    }

    private static void Append(StringBuilder text, string word, IReadOnlyDictionary<string, long> counts)
    {
        if (counts.Count > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"{word}: {Counts(counts)}\n");
        }
    }

    private static string Counts(IReadOnlyDictionary<string, long> counts) =>
        string.Join(", ", counts.Select(count => string.Create(CultureInfo.InvariantCulture, $"{count.Key} {count.Value:N0}")));
}
