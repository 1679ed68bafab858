namespace Bft.Sim;

/// <summary>Makes a finding something to look at and repeat: shrinks it, writes its artefact and draws it.</summary>
internal sealed class FailureKeeper(SimInvocation sim)
{
    /// <summary>Fills in where the artefact lies, and how small the run became.</summary>
    /// <param name="finding">What to keep.</param>
    /// <param name="picture">Where to draw it too, besides beside the artefact.</param>
    /// <param name="isShrunk">False keeps it as it is.</param>
    public async Task KeepAsync(Finding finding, string? picture = null, bool isShrunk = true)
    {
        // What depends on more than seed and plan cannot be shrunk by running it again.
        bool isOfOneRun = finding.Violation.Checker != Divergence.Checker;
        MinimalRun? minimal = isShrunk && isOfOneRun && !sim.Get(SimOptions.NoShrink) && !sim.Interruption.Token.IsCancellationRequested ? await ShrinkAsync(finding.Request) : null;
        RunResult shown = sim.Perform(minimal is null ? finding.Request : finding.Request with { Plan = minimal.Plan, Removed = new SortedSet<ChoiceId>(minimal.Removed) }, true);
        Artefact artefact = new()
        {
            Version = ArtefactFile.Version,
            Plants = PlantedBugs.Active,
            Profile = finding.Request.Profile,
            Scenario = finding.Request.Scenario,
            Seed = finding.Request.Seed,
            Plan = finding.Request.Plan,
            Hash = finding.Hash,
            Violation = finding.Violation,
            Parties = shown.Parties,
            Minimal = minimal,
        };
        finding.Artefact = ArtefactFile.Save(sim.Get(SimOptions.Keep), artefact);
        finding.ShrunkEvents = minimal?.Events;
        await File.WriteAllTextAsync(Path.ChangeExtension(finding.Artefact, ".html"), Picture.Of(shown, artefact, finding.Artefact));
        if (picture is not null)
        {
            await File.WriteAllTextAsync(picture, Picture.Of(shown, artefact, finding.Artefact));
        }
    }

    private async Task<MinimalRun?> ShrinkAsync(RunRequest request)
    {
        ShrinkLimits limits = new() { Time = sim.Get(SimOptions.ShrinkTime) ?? new ShrinkLimits().Time, Stop = sim.Interruption.Token };
        ShrinkProgress at = default;
        Task<MinimalRun?> shrinking = Task.Run(() => new Shrinker(sim.Perform, limits, progress => at = progress).Shrink(request));
        if (sim.HasProgress)
        {
            await ProgressBar.SpinAsync(sim, shrinking, () => $"seed {request.Seed}: shrinking {at.Phase}, {at.Runs} runs, {at.Size} messages and faults left");
        }

        return await shrinking;
    }
}
