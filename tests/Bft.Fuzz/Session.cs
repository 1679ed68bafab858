using System.Diagnostics;
using Bft.Fuzz.Targets;

namespace Bft.Fuzz;

/// <summary>Some targets in turn until the time is over. A target that found something is left out from then on: it would find it again and again.</summary>
internal sealed class Session(string[] names, string corpus, string output, ulong seed)
{
    public const string LastSuffix = ".last";
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly List<Finding> _findings = [];

    public int Run(TimeSpan time, CancellationToken stop)
    {
        Directory.CreateDirectory(output);
        Target[] targets = [.. names.Select(name => AllTargets.Create(name)!)];
        using LastInput last = new(Path.Combine(output, $"{Environment.ProcessId}{LastSuffix}"), targets.Max(target => Math.Max(target.LengthMax, 1 << 20)), Patience);
        List<Campaign> campaigns = [];
        try
        {
            long begun = Stopwatch.GetTimestamp();
            campaigns.AddRange(targets.Select(target => new Campaign(target, seed, last)));
            List<Campaign> open = [.. campaigns.Where(campaign => Take(campaign.Begin(Inputs(campaign.Target))) is null)];
            long reported = begun;
            while (open.Count > 0 && !stop.IsCancellationRequested && Stopwatch.GetElapsedTime(begun) < time)
            {
                TimeSpan turn = TimeSpan.FromTicks(Math.Min(Turn.Ticks, (time - Stopwatch.GetElapsedTime(begun)).Ticks / open.Count));
                open.RemoveAll(campaign => Take(campaign.Run(turn > TimeSpan.Zero ? turn : TimeSpan.FromMilliseconds(1), stop)) is not null);
                if (Stopwatch.GetElapsedTime(reported) > ReportInterval)
                {
                    reported = Stopwatch.GetTimestamp();
                    Console.WriteLine($"{Stopwatch.GetElapsedTime(begun):hh\\:mm\\:ss} {campaigns.Sum(campaign => campaign.Executions):N0} executions, {_findings.Count} findings");
                }
            }
        }
        finally
        {
            foreach (IDisposable target in targets.OfType<IDisposable>())
            {
                target.Dispose();
            }
        }

        Report(campaigns);
        return _findings.Count == 0 ? Exit.Ok : Exit.Found;
    }

    private IEnumerable<byte[]> Inputs(Target target) => target.Seeds().Concat(Corpus.Load(corpus, target)).Select(seed => seed.Bytes);

    private Finding? Take(Finding? finding)
    {
        if (finding is not null)
        {
            _findings.Add(finding);
            Console.WriteLine($"FOUND {finding.Kind} in {finding.Target}, kept in {Corpus.Keep(output, finding)}: {finding.Text.Split('\n')[0]}");
        }

        return finding;
    }

    private void Report(IEnumerable<Campaign> campaigns)
    {
        Console.WriteLine($"{"target",-20}{"executions",14}{"per second",12}{"accepted",10}{"shapes",9}{"kept",7}");
        foreach (Campaign campaign in campaigns)
        {
            double perSecond = campaign.Executions / Math.Max(0.001, campaign.Elapsed.TotalSeconds);
            double accepted = 100.0 * campaign.AcceptedCount / Math.Max(1, campaign.Executions);
            Console.WriteLine($"{campaign.Target.Name,-20}{campaign.Executions,14:N0}{perSecond,12:N0}{accepted,9:0.0}%{campaign.Shapes,9:N0}{campaign.Kept,7:N0}");
        }

        Console.WriteLine(_findings.Count == 0 ? $"Nothing found in {campaigns.Sum(campaign => campaign.Executions):N0} executions (seed {seed})." : $"{_findings.Count} findings in {output}.");
    }
}
