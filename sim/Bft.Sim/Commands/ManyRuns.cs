namespace Bft.Sim;

/// <summary>`--seeds`, `--time` and `--scenario all`: many runs, counted, their failures kept.</summary>
internal static class ManyRuns
{
    private const string AllScenarios = "all";

    /// <summary>Failures of one checker look alike: the first of each is shrunk, the others are kept as they are.</summary>
    private const int ShrunkPerChecker = 1;

    public static async Task<int> RunAsync(SimInvocation sim)
    {
        Summary summary = sim.Get(SimOptions.Scenario) == AllScenarios ? await RunScenariosAsync(sim) : await RunSourceAsync(sim, RunSource.Of(sim));
        if (sim.IsJson)
        {
            using Stream output = Console.OpenStandardOutput();
            SummaryJson.Write(output, summary);
        }

        return summary.ExitCode;
    }

    private static async Task<Summary> RunScenariosAsync(SimInvocation sim)
    {
        Tally all = new();
        TimeSpan real = TimeSpan.Zero;
        int code = 0;
        bool isInterrupted = false;
        foreach (Scenario scenario in Scenarios.All)
        {
            Summary one = await RunSourceAsync(sim, RunSource.Of(scenario));
            all.Add(one.Tally);
            real += one.Real;
            code = code == 0 ? one.ExitCode : code;
            isInterrupted = one.IsInterrupted;
            if (isInterrupted)
            {
                break;
            }
        }

        return new Summary(AllScenarios, all, real, Threads(sim)) { ExitCode = code, IsInterrupted = isInterrupted };
    }

    private static async Task<Summary> RunSourceAsync(SimInvocation sim, RunSource source)
    {
        bool isPlot = sim.Has(SimOptions.Scenario);
        SeedRange seeds = sim.Get(SimOptions.Seeds) ?? new SeedRange(1, sim.Has(SimOptions.Time) ? ulong.MaxValue : isPlot ? 20UL : 100UL);
        Campaign campaign = new(sim.Perform, source.Request)
        {
            Threads = Threads(sim),
            FailuresMax = sim.Get(SimOptions.Failures),
            Time = sim.Get(SimOptions.Time) ?? Timeout.InfiniteTimeSpan,
        };
        Task running = campaign.RunAsync(seeds.First, seeds.Last, sim.Interruption.Token);
        if (sim.HasProgress)
        {
            double all = seeds.Last - (double)seeds.First + 1;
            await ProgressBar.FillAsync(
                sim,
                running,
                () => sim.Get(SimOptions.Time) is { } time ? Math.Max(campaign.Clock.Elapsed / time, campaign.Tally.Runs / all) : campaign.Tally.Runs / all,
                () => $"{source.Name}: {campaign.Tally.Runs} runs, {campaign.Tally.FailureCount} failed");
        }

        await running;
        await KeepAsync(sim, campaign.Tally);
        bool isControl = campaign.Tally.Runs > 0 && Expectations.MustBeSeen(source.Request(seeds.First));
        Summary summary = new(source.Name, campaign.Tally, campaign.Clock.Elapsed, campaign.Threads)
        {
            IsInterrupted = sim.Interruption.Code is not null,
            ExitCode = OneRun.Code(sim, campaign.Tally, isControl && campaign.Tally.Findings.Count == 0),
        };
        sim.Say(isPlot && sim.Get(SimOptions.Scenario) == AllScenarios ? Line(summary) : SummaryText.OfMany(summary));
        return summary;
    }

    private static string Line(Summary summary) =>
        $"{(summary.ExitCode == 0 ? "ok    " : "FAILED")}  {summary.Profile} ({summary.Tally.Runs} runs)"
        + string.Concat(summary.Tally.Failures.Select(finding => "\n" + SummaryText.OfFinding(finding)))
        + (summary.ExitCode == (int)ExitCode.NothingSeen ? "\n        a violation must be seen there, and none was" : "");

    private static async Task KeepAsync(SimInvocation sim, Tally tally)
    {
        FailureKeeper keeper = new(sim);
        Dictionary<string, int> kept = new(StringComparer.Ordinal);
        foreach (Finding finding in tally.Failures)
        {
            string checker = finding.Violation.Checker;
            kept[checker] = kept.GetValueOrDefault(checker) + 1;
            await keeper.KeepAsync(finding, isShrunk: kept[checker] <= ShrunkPerChecker);
        }
    }

    private static int Threads(SimInvocation sim) => sim.Get(SimOptions.Threads) ?? Environment.ProcessorCount;
}
