#if PLANTED
using System.Diagnostics;
using Bft.Crypto;

namespace Bft.Sim;

/// <summary>How one planted bug was found, or that it was not.</summary>
/// <param name="Name">The bug.</param>
/// <param name="Seeds">Seeds until it was found, each in up to five profiles; the median where there were several searches.</param>
/// <param name="Found">The failing run; null when the budget was spent.</param>
/// <param name="Checker">Who found it.</param>
/// <param name="Events">Of the shrunk run; null when it was not shrunk.</param>
/// <param name="Real">How long it all took.</param>
internal sealed record BugProof(string Name, int Seeds, RunRequest? Found, string Checker, long? Events, TimeSpan Real)
{
    /// <summary>The recorded run still finds it, with the checker that is recorded; null when none is recorded.</summary>
    public bool? IsRecordedRunFailing { get; init; }
}

/// <summary>Plants a bug and looks for it: each seed in all profiles that stay within the model and in one scenario, until a checker finds something.</summary>
internal sealed class BugSearch(string bug, ShrinkLimits limits)
{
    /// <summary>Seeds until a search gives up; each is tried in all profiles of the rotation.</summary>
    public const int Budget = 200;

    private static readonly string[] Rotation = ["swarm", "byzantine", "storage", "network", "liveness", "checkpoint-before-certificate"];

    /// <summary>One search from a first seed on; a bug is found when a run fails that passes without it.</summary>
    public BugProof Run(ulong first)
    {
        long began = Stopwatch.GetTimestamp();
        for (int i = 0; i < Budget && !limits.Stop.IsCancellationRequested; i++)
        {
            foreach (string profile in Rotation)
            {
                RunRequest request = RequestOf(profile, first + (ulong)i);
                if (Find(request) is { } found)
                {
                    long? events = limits.Runs > 0 ? new Shrinker(Perform, limits).Shrink(request)?.Events : null;
                    return new BugProof(bug, i + 1, request, found.Checker, events, Stopwatch.GetElapsedTime(began));
                }
            }
        }

        return new BugProof(bug, Budget, null, "", null, Stopwatch.GetElapsedTime(began));
    }

    /// <summary>What a run finds of the bug; what it finds without the bug as well says nothing.</summary>
    public Violation? Find(RunRequest request) => Perform(request, false).Violation is { } found && Sim.Run.Perform(request).Violation is null ? found : null;

    private RunResult Perform(RunRequest request, bool withTrace)
    {
        Planted.Active = bug;
        try
        {
            return Sim.Run.Perform(request, withTrace);
        }
        finally
        {
            Planted.Active = null;
        }
    }

    /// <param name="plot">A profile, or a scenario.</param>
    /// <param name="seed">All chance.</param>
    public static RunRequest RequestOf(string plot, ulong seed) => Scenarios.Find(plot)?.RequestOf(seed) ?? new RunRequest(seed, Profiles.Draw(plot, seed)) { Profile = plot };
}
#endif
