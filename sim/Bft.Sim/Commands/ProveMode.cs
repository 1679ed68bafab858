#if PLANTED
using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
#endif

namespace Bft.Sim;

/// <summary>`--prove`: plants each bug, searches for it, and says by whom and after how many seeds it was found.</summary>
internal static class ProveMode
{
#if PLANTED
    private const int FullSearches = 5;
    private const ulong SearchStride = 10_000;

    public static async Task<int> RunAsync(SimInvocation sim)
    {
        string? only = sim.Get(SimOptions.Plant);
        string[] bugs = [.. PlantedBugs.All.Select(bug => bug.Name).Concat(Checkers.Canaries).Where(name => only is null || name == only)];
        SimInvocation.Refuse(bugs.Length == 0, $"there is no planted bug '{only}'; --list-plants has them all.");
        int searches = sim.Get(SimOptions.Full) ? FullSearches : 1;
        ulong first = sim.Get(SimOptions.Seeds)?.First ?? 1;
        sim.Say("found  recorded  seeds  checker               events  first found in     bug");
        ConcurrentDictionary<string, BugProof> proofs = new(StringComparer.Ordinal);
        Task proving = Parallel.ForEachAsync(
            bugs,
            new ParallelOptions { MaxDegreeOfParallelism = sim.Get(SimOptions.Threads) ?? Environment.ProcessorCount },
            (bug, _) =>
            {
                BugProof proof = Prove(sim, bug, first, searches);
                proofs[bug] = proof;
                sim.Say(Line(proof));
                return ValueTask.CompletedTask;
            });
        if (sim.HasProgress)
        {
            await ProgressBar.FillAsync(sim, proving, () => proofs.Count / (double)bugs.Length, () => $"{proofs.Count} of {bugs.Length} bugs");
        }

        await proving;
        BugProof[] inOrder = [.. bugs.Select(bug => proofs[bug])];

        int missed = inOrder.Count(proof => !IsProven(proof));
        sim.Say(missed == 0 ? $"all {bugs.Length} planted bugs were found" : $"{missed} of {bugs.Length} planted bugs were not found within {BugSearch.Budget} seeds");
        if (sim.Get(SimOptions.Record) is { } path)
        {
            RecordedRuns.Write(path, inOrder);
        }
        else if (inOrder.Count(proof => proof.IsRecordedRunFailing == false) is var stale and > 0)
        {
            sim.Say($"{stale} recorded runs no longer find their bug; if plans or messages changed, record them anew: --prove --record sim/Bft.Sim/Proving/recorded.txt");
        }

        if (sim.IsJson)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(inOrder.Select(proof => new
            {
                bug = proof.Name,
                found = IsProven(proof),
                recordedRunFails = proof.IsRecordedRunFailing,
                seeds = proof.Seeds,
                checker = proof.Checker,
                events = proof.Events,
                profile = proof.Found?.Profile,
                seed = proof.Found?.Seed,
                seconds = Math.Round(proof.Real.TotalSeconds, 1),
            })));
        }

        return missed == 0 ? (int)ExitCode.Ok : (int)ExitCode.NotProven;
    }

    private static string Line(BugProof proof) => string.Create(
        CultureInfo.InvariantCulture,
        $"{(IsProven(proof) ? "yes" : proof.Found is null ? "NO" : "OTHER"),-5}  {(proof.IsRecordedRunFailing switch { null => "-", true => "fails", false => "PASSES" }),-8}  {proof.Seeds,5}  {proof.Checker,-20}  {proof.Events?.ToString(CultureInfo.InvariantCulture) ?? "",6}  {(proof.Found is { } run ? $"{run.Profile} {run.Seed}" : ""),-17}  {proof.Name}");

    private static BugProof Prove(SimInvocation sim, string bug, ulong first, int searches)
    {
        ShrinkLimits limits = new() { Time = sim.Get(SimOptions.ShrinkTime) ?? new ShrinkLimits().Time, Stop = sim.Interruption.Token, Runs = sim.Get(SimOptions.NoShrink) ? 0 : new ShrinkLimits().Runs };
        BugProof[] found = [.. Enumerable.Range(0, searches).Select(i => new BugSearch(bug, limits).Run(first + ((ulong)i * SearchStride))).OrderBy(proof => proof.Found is null).ThenBy(proof => proof.Seeds)];
        return found[searches / 2] with { IsRecordedRunFailing = RecordedRuns.Of(bug) is { } recorded ? new BugSearch(bug, limits).Find(recorded.Run)?.Checker == recorded.Checker : null };
    }

    /// <summary>A canary falsifies one report, which its own checker alone may notice.</summary>
    private static bool IsProven(BugProof proof) =>
        proof.Found is not null && (!Checkers.Canaries.Contains(proof.Name, StringComparer.Ordinal) || proof.Name == "canary-" + proof.Checker);
#else
    public static Task<int> RunAsync(SimInvocation sim)
    {
        SimInvocation.Refuse(true, "this build has no planted bugs; start it as ./bft sim --prove.");
        return Task.FromResult((int)ExitCode.Usage);
    }
#endif
}
