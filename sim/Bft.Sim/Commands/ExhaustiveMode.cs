using System.Globalization;
using System.Text.Json;
using Bft.Sim.SmallScope;

namespace Bft.Sim;

/// <summary>`--profile exhaustive`: the small scopes, each searched whole; the dearest last.</summary>
internal static class ExhaustiveMode
{
    private static readonly ExhaustiveOptions[] Scopes =
    [
        new(),
        new() { Crashes = 2 },
        new() { Publisher = SmallPublisher.Forking },
        new() { Slots = 2 },
        new() { IsReduced = false },
    ];

    /// <summary>Rules that a scope checks and that have another name among the checkers; the others have the checker's own.</summary>
    private static readonly SortedDictionary<string, string> CheckerOfRule = new(StringComparer.Ordinal)
    {
        ["W1"] = "honest-equivocation",
        ["W7"] = "durability",
        ["W9"] = "durability",
        ["C1"] = "certificate-validity",
        ["C2"] = "accountability",
    };

    public static async Task<int> RunAsync(SimInvocation sim)
    {
        SimInvocation.Refuse(sim.Has(SimOptions.Seed) || sim.Has(SimOptions.Seeds) || sim.Has(SimOptions.Time), "the exhaustive search takes no seeds and no time: it ends when it has seen all.");
        List<ExhaustiveReport> reports = [];
        foreach (ExhaustiveOptions scope in Scopes)
        {
            ExhaustiveReport report = await SearchAsync(sim, scope with { Threads = sim.Get(SimOptions.Threads) ?? Environment.ProcessorCount });
            reports.Add(report);
            sim.Say(Text(report));
            if (report.Violation is not null || sim.Interruption.Code is not null)
            {
                break;
            }
        }

        int code = reports[^1].Violation is { } violation ? ExitCodes.Of(CheckerOf(violation)) : (int)(sim.Interruption.Code ?? ExitCode.Ok);
        if (sim.IsJson)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(new { profile = Profiles.Exhaustive, scopes = reports.Select(Fields), interrupted = sim.Interruption.Code is not null, exitCode = code }, Json));
        }

        return code;
    }

    /// <summary>The checker whose property a violation of a small scope breaks: its exit code is the program's.</summary>
    public static string CheckerOf(string violation)
    {
        string rule = violation.Split(':')[0];
        return CheckerOfRule.GetValueOrDefault(rule, rule.ToLowerInvariant());
    }

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    private static async Task<ExhaustiveReport> SearchAsync(SimInvocation sim, ExhaustiveOptions scope)
    {
        Latest latest = new();
        Task<ExhaustiveReport> search = Task.Factory.StartNew(() => Exhaustive.Search(scope, latest, sim.Interruption.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        if (sim.HasProgress)
        {
            await ProgressBar.SpinAsync(sim, search, () => string.Create(
                CultureInfo.InvariantCulture,
                $"{scope.Mode}: {latest.Value.States:N0} states, {latest.Value.Open:N0} open, {latest.Value.Depth} steps deep, {latest.Value.WitnessStates:N0} states of a witness"));
        }

        return await search;
    }

    private static string Text(ExhaustiveReport report) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        {(report.IsComplete ? "complete" : report.Violation is null ? "BOUNDED " : "FAILED  ")}  {report.Mode}
                  {report.States:N0} states, {report.Transitions:N0} steps between them, {report.Depth} deep; {report.WitnessStates:N0} states of a witness, {report.WitnessTransitions:N0} inputs; {report.Healed:N0} healed; {report.Elapsed.TotalSeconds:0.0} s
        """)
        + (report.Bound is { } bound ? $"\n          ended by {bound}" : "")
        + (report.Violation is { } violation ? $"\n          {violation}" + string.Concat(report.Steps.Select((step, i) => $"\n          {i + 1,3}. {step}")) : "");

    private static object Fields(ExhaustiveReport report) => new
    {
        scope = report.Mode,
        complete = report.IsComplete,
        states = report.States,
        transitions = report.Transitions,
        witnessStates = report.WitnessStates,
        witnessTransitions = report.WitnessTransitions,
        healed = report.Healed,
        depth = report.Depth,
        bound = report.Bound,
        seconds = Math.Round(report.Elapsed.TotalSeconds, 1),
        violation = report.Violation,
        steps = report.Steps,
    };

    /// <summary>The last that was reported; no thread of its own.</summary>
    private sealed class Latest : IProgress<ExhaustiveProgress>
    {
        private readonly Lock _gate = new();
        private ExhaustiveProgress _value;

        public ExhaustiveProgress Value
        {
            get
            {
                lock (_gate)
                {
                    return _value;
                }
            }
        }

        public void Report(ExhaustiveProgress value)
        {
            lock (_gate)
            {
                _value = value;
            }
        }
    }
}
