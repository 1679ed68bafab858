using System.Diagnostics;

namespace Bft.Sim;

/// <summary>`--seed` and `--replay`: one run, with log and picture on request.</summary>
internal static class OneRun
{
    public static async Task<int> RunAsync(SimInvocation sim)
    {
        Artefact? artefact = sim.Get(SimOptions.Replay) is { } file ? ArtefactFile.Load(file) : null;
        foreach (string plant in artefact?.Plants ?? [])
        {
            SimInvocation.Refuse(!PlantedBugs.Active.Contains(plant, StringComparer.Ordinal) && !PlantedBugs.TryPlant(plant), $"this failure had the bug '{plant}' planted; start it as ./bft sim --plant {plant} --replay {sim.Get(SimOptions.Replay)}.");
        }

        RunSource? source = artefact is null ? RunSource.Of(sim) : null;
        RunRequest request = artefact?.Smallest ?? source!.Request(sim.Get(SimOptions.Seed)!.Value);
        bool isShown = sim.Get(SimOptions.Log) || sim.Has(SimOptions.Html);
        // Compiles what a run needs, so that the time below is a run's own.
        sim.Perform(request with { Plan = request.Plan with { Broadcasts = 1, ChaosMilliseconds = 100 }, Removed = new SortedSet<ChoiceId>(), Scenario = null }, false);
        long start = Stopwatch.GetTimestamp();
        RunResult result = sim.Perform(request, isShown);
        TimeSpan real = Stopwatch.GetElapsedTime(start);
        if (sim.Get(SimOptions.Log))
        {
            await WriteLogAsync(result);
        }

        Violation? divergence = result.Violation is null && !isShown ? null : Divergence.Of(result, sim.Perform);
        Finding? finding = Expectations.Of(result, divergence);
        if (sim.Get(SimOptions.Html) is { } picture && (artefact is not null || finding is not { IsExpected: false } || sim.Get(SimOptions.NoShrink)))
        {
            await File.WriteAllTextAsync(picture, Picture.Of(result));
            sim.Say($"picture in {picture}");
        }

        Tally tally = new();
        tally.Add(result, finding, divergence is not null || result.Violation is not null);
        sim.Say(SummaryText.OfRun(result, real));
        if (finding is { IsExpected: false } && artefact is null)
        {
            await new FailureKeeper(sim).KeepAsync(finding, sim.Get(SimOptions.Html));
        }

        if (finding is not null)
        {
            sim.Say(SummaryText.OfFinding(finding));
        }

        string? expected = artefact?.Minimal?.Hash ?? artefact?.Hash;
        if (expected is not null && expected != result.Hash)
        {
            sim.Say($"This run is not the one that was kept (hash {expected}): the code changed since {artefact!.Version}.");
        }

        int code = Code(sim, tally, Expectations.MustBeSeen(request) && finding is null);
        if (sim.IsJson)
        {
            using Stream output = Console.OpenStandardOutput();
            SummaryJson.Write(output, new Summary(request.Profile, tally, real, 1) { Hash = result.Hash, ExitCode = code });
        }

        return code;
    }

    /// <summary>The code of the first failure, or of none.</summary>
    public static int Code(SimInvocation sim, Tally tally, bool isControlBlind) =>
        tally.Failures.FirstOrDefault() is { } failure ? ExitCodes.Of(failure.Violation.Checker)
        : sim.Interruption.Code is { } interrupted ? (int)interrupted
        : isControlBlind ? (int)ExitCode.NothingSeen
        : (int)ExitCode.Ok;

    private static async Task WriteLogAsync(RunResult result)
    {
        await using StreamWriter output = new(Console.OpenStandardOutput(), bufferSize: 1 << 16);
        foreach (string line in LogText.Lines(result))
        {
            await output.WriteLineAsync(line);
        }

        await output.WriteLineAsync($"hash {result.Hash}");
    }
}
