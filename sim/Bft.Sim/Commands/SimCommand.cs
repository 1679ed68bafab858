using System.CommandLine;
using Bft.Cli.Commands;

namespace Bft.Sim;

/// <summary>The command line of the simulator.</summary>
internal static class SimCommand
{
    public static RootCommand Create(Interruption interruption, Func<RunRequest, bool, RunResult> perform)
    {
        RootCommand command = new("Whole clusters on one thread, from one seed: the code of witness and client, with Byzantine parties, crashes, bad disks and bad networks.")
        {
            SimOptions.Seed, SimOptions.Seeds, SimOptions.Time, SimOptions.Profile, SimOptions.Scenario, SimOptions.Plan, SimOptions.Replay,
            SimOptions.List, SimOptions.PrintPlan, SimOptions.Log, SimOptions.Html, SimOptions.Json, SimOptions.Keep, SimOptions.NoShrink, SimOptions.ShrinkTime,
            SimOptions.Failures, SimOptions.Threads, SimOptions.CheckDeterminism, SimOptions.Plant, SimOptions.ListPlants, SimOptions.Prove, SimOptions.Full, SimOptions.Record,
        };
        HelpWithExamples.Add(command, $"""
            Examples:
              bft sim --seeds 1..1000                          a thousand runs; failures are shrunk, drawn and kept
              bft sim --time 10m --profile storage
              bft sim --seed 7 --log | less                    one run, a line per event
              bft sim --seed 7 --html run.html                 one run as a picture
              bft sim --scenario all
              bft sim --print-plan --seed 7 > my.yaml          a plan to change, then: bft sim --plan my.yaml
              bft sim --replay bft-sim-failures/FILE.json --log

            Profiles:
            {string.Join('\n', Profiles.All.Select(profile => $"  {profile.Name,-11} {profile.Line}"))}

            Exit codes:
            {ExitCodes.Text()}
            """);
        command.SetAction((parse, _) => new SimInvocation(parse, interruption, perform).RunAsync(Choose));
        return command;
    }

    /// <summary>What was asked for.</summary>
    private static Func<SimInvocation, Task<int>> Choose(SimInvocation sim)
    {
        SimInvocation.Refuse(sim.Has(SimOptions.Seed) && (sim.Has(SimOptions.Seeds) || sim.Has(SimOptions.Time)), "--seed is one run; --seeds and --time are many. Choose one.");
        SimInvocation.Refuse(sim.Get(SimOptions.Log) && sim.IsJson, "choose one of --log and --json.");
        SimInvocation.Refuse(new Option[] { SimOptions.Profile, SimOptions.Scenario, SimOptions.Plan, SimOptions.Replay }.Count(sim.Has) > 1, "choose one of --profile, --scenario, --plan and --replay.");
        SimInvocation.Refuse(sim.Get(SimOptions.Failures) < 1, "--failures is at least 1.");
        SimInvocation.Refuse(sim.Get(SimOptions.Threads) is < 1 or > 1024, "--threads is from 1 to 1024.");
        if (sim.Get(SimOptions.Plant) is { } name)
        {
            SimInvocation.Refuse(!PlantedBugs.TryPlant(name), PlantedBugs.All.Count == 0 ? "this build has no planted bugs; start it as ./bft sim." : $"no planted bug is named '{name}' (--list-plants).");
        }

        bool isOne = sim.Has(SimOptions.Seed) || sim.Has(SimOptions.Replay);
        if (sim.Get(SimOptions.List))
        {
            return Lists.ScenariosAsync;
        }

        if (sim.Get(SimOptions.ListPlants))
        {
            return Lists.PlantsAsync;
        }

        if (sim.Get(SimOptions.Prove))
        {
            return ProveMode.RunAsync;
        }

        if (sim.Get(SimOptions.PrintPlan))
        {
            return Lists.PlanAsync;
        }

        if (sim.Get(SimOptions.Profile) == Profiles.Exhaustive)
        {
            return ExhaustiveMode.RunAsync;
        }

        SimInvocation.Refuse(!isOne && (sim.Get(SimOptions.Log) || sim.Has(SimOptions.Html)), "--log and --html show one run: say which with --seed N or --replay FILE.");
        SimInvocation.Refuse(sim.Get(SimOptions.CheckDeterminism) && !isOne, "--check-determinism compares one run with itself: say which with --seed N.");
        return sim.Get(SimOptions.CheckDeterminism) ? DeterminismCheck.RunAsync : isOne ? OneRun.RunAsync : ManyRuns.RunAsync;
    }
}
