using System.CommandLine;
using Bft.Bench.Load;
using Bft.Bench.Planning;
using Bft.Cli.Clusters;
using Bft.Cli.Output;
using Bft.Configuration;
using Bft.Protocol.Membership;

namespace Bft.Cli.Commands;

/// <summary>`bft plan`: what a cluster would do, before there is one.</summary>
internal static class PlanCommand
{
    private static readonly int[] ValidatedSizes = [100, 1024, 16 * 1024];

    private static readonly Option<int> Witnesses = new("--witnesses", "-n")
    {
        HelpName = "N",
        Description = "How many witnesses, from 4 to 64; or --cluster.",
        DefaultValueFactory = _ => 4,
    };

    private static readonly Option<int> Size = new("--size")
    {
        HelpName = "BYTES",
        Description = "Of a message, from 8 to 1MiB.",
        CustomParser = result => BenchCommand.SizeOf(result.Tokens[0].Value, result.AddError),
        DefaultValueFactory = _ => 100,
    };

    private static readonly Option<double?> Rate = new("--rate")
    {
        HelpName = "N",
        Description = "Messages per second, of all publishers together. Default: half of what fits.",
    };

    private static readonly Option<int> Publishers = new("--publishers") { HelpName = "N", Description = "How many publishers; they send alike.", DefaultValueFactory = _ => 1 };

    private static readonly Option<int> Receivers = new("--receivers") { HelpName = "N", Description = "How many receivers; each gets everything.", DefaultValueFactory = _ => 1 };

    private static readonly Option<string> LinkName = new("--link")
    {
        HelpName = "LINK",
        Description = $"Between any two parties: {string.Join(", ", Link.Presets.Select(link => link.Name))}.",
        DefaultValueFactory = _ => "lan",
    };

    private static readonly Option<double?> Bandwidth = new("--bandwidth")
    {
        HelpName = "MBIT",
        Description = "Of each party's line, each way, in Mbit/s, instead of the link's.",
    };

    private static readonly Option<TimeSpan?> Delay = Options.Time("--delay", "One way, instead of the link's.");

    private static readonly Option<double?> Cores = new("--cores")
    {
        HelpName = "N",
        Description = "Processors of each machine, of the kind that the costs were measured on. Default: as many as here.",
    };

    private static readonly Option<bool> Shared = new("--shared")
    {
        Description = "All parties run on one machine, as in `bft bench`; else each has its own.",
    };

    private static readonly Option<double?> Retention = new("--retention")
    {
        HelpName = "DAYS",
        Description = "How long bodies are kept. Default: what --cluster says of the topic *, else for ever.",
    };

    private static readonly Option<string?> Costs = new("--costs")
    {
        HelpName = "FILE",
        Description = "What the stages cost: read from FILE, or measured here and written to it when there is no such file.",
    };

    private static readonly Option<bool> Validate = new("--validate")
    {
        Description = "Also run the cluster here, as `bft bench` does, and show predicted, simulated and measured side by side. Ends with 14 when a prediction is off by more than 25 %.",
    };

    private static readonly Option<TimeSpan?> Seconds = Options.Time("--seconds", "--validate: how long each figure is measured. Default: 3s.");

    private static readonly Option<int> Seed = new("--seed") { HelpName = "N", Description = "Of the simulation's noise.", DefaultValueFactory = _ => 1 };

    public static Command Create(Interruption interruption)
    {
        Witnesses.Validators.Add(result => Options.Demand(result.GetValueOrDefault<int>() is >= CommitteeSize.Min and <= CommitteeSize.Max, "--witnesses is from 4 to 64.", result.AddError));
        Rate.Validators.Add(result => Options.Demand(result.GetValueOrDefault<double?>() is null or (> 0 and <= 1e9), "--rate is above 0, and at most 1,000,000,000.", result.AddError));
        Publishers.Validators.Add(result => Options.Demand(result.GetValueOrDefault<int>() is >= 1 and <= 1000, "--publishers is from 1 to 1,000.", result.AddError));
        Receivers.Validators.Add(result => Options.Demand(result.GetValueOrDefault<int>() is >= 0 and <= 1000, "--receivers is from 0 to 1,000.", result.AddError));
        Bandwidth.Validators.Add(result => Options.Demand(result.GetValueOrDefault<double?>() is null or (>= 0.01 and <= 1e6), "--bandwidth is from 0.01 to 1,000,000 Mbit/s.", result.AddError));
        Cores.Validators.Add(result => Options.Demand(result.GetValueOrDefault<double?>() is null or (>= 0.1 and <= 1024), "--cores is from 0.1 to 1,024.", result.AddError));
        Retention.Validators.Add(result => Options.Demand(result.GetValueOrDefault<double?>() is null or (> 0 and <= 36500), "--retention is above 0, and at most 36,500 days.", result.AddError));
        LinkName.AcceptOnlyFromAmong([.. Link.Presets.Select(link => link.Name)]);
        Command command = new("plan", "Predict what a cluster will do: throughput, latency, queues, bytes.")
        {
            Witnesses, Options.Cluster, Size, Rate, Publishers, Receivers, LinkName, Bandwidth, Delay, Cores, Shared, Retention, Costs, Validate, Seconds, Seed,
        };
        command.Validators.Add(result => Options.Demand(
            result.GetResult(Options.Cluster) is null or { Implicit: true } || result.GetResult(Witnesses) is null or { Implicit: true }, "choose one of --cluster and --witnesses.", result.AddError));
        command.Validators.Add(result => Options.Demand(
            !result.GetValue(Validate) || (result.GetResult(Publishers) is null or { Implicit: true }) || result.GetValue(Publishers) <= 10, "--validate is for at most 10 publishers.", result.AddError));
        HelpWithExamples.Add(command, """
            Examples:
              bft plan --witnesses 7 --size 1KiB --rate 20000 --link continent --cores 8
              bft plan --costs costs.json                           measure the stages once, then plan with them
              bft plan --costs costs.json --cluster cluster/cluster.yaml --receivers 10 --rate 5000
              bft plan --costs costs.json --bandwidth 100 --delay 20ms --retention 7 --json
              bft plan --validate --shared --link loopback          some two minutes: beside what runs here

            Stages are measured on this machine, for about a minute: hashes, signatures, flushes and copies
            alone, and what a batch, a byte and a message cost each kind of process in real clusters. A plan is a
            formula; a simulation of the same stages as queues stands beside it. docs/cli.md says what is in them.
            """);
        Session.Bind(command, interruption, RunAsync);
        return command;
    }

    private static async Task<ExitCode> RunAsync(Session session)
    {
        Deployment deployment = DeploymentOf(session);
        PlanView view = new(session);
        try
        {
            StageCosts costs;
            await using (new ProgressLine(session, () => view.Bench.Progress))
            {
                costs = await CostsAsync(session, view);
            }

            view.Show(costs, Plan.Of(costs, deployment, session.Get(Rate)), session.Get(Seed));
            if (!session.Get(Validate))
            {
                return ExitCode.Ok;
            }

            IReadOnlyList<Validated> validated;
            await using (new ProgressLine(session, () => view.Bench.Progress))
            {
                TimeSpan time = session.Get(Seconds) ?? TimeSpan.FromSeconds(3);
                int[] sizes = session.Has(Size) ? [deployment.Size] : ValidatedSizes;
                validated = await new PlanValidation(costs, deployment, TimeSpan.FromSeconds(3), time, view.Bench).RunAsync(sizes, session.Interrupted);
            }

            return view.Show(validated);
        }
        catch (Exception error) when (error is not LoadFailedException && session.Interrupted.IsCancellationRequested)
        {
            // However the calls under way put it.
            throw new OperationCanceledException(session.Interrupted);
        }
    }

    private static async Task<StageCosts> CostsAsync(Session session, PlanView view)
    {
        string? path = session.Get(Costs);
        if (path is not null && File.Exists(path))
        {
            try
            {
                return StageCosts.Parse(await File.ReadAllTextAsync(path, session.Interrupted));
            }
            catch (FormatException error)
            {
                throw new CommandException(ExitCode.Usage, $"{path} is no file of stage costs: {error.Message} Delete it, and they are measured again.");
            }
        }

        if (path is not null && !Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path))))
        {
            throw new CommandException(ExitCode.Usage, $"{path} cannot be written: there is no such folder.");
        }

        StageCosts costs = await Calibration.MeasureAsync(view.Bench, session.Interrupted);
        if (path is not null)
        {
            await File.WriteAllTextAsync(path, costs.ToJson(), session.Interrupted);
        }

        return costs;
    }

    private static Deployment DeploymentOf(Session session)
    {
        Link preset = Link.Presets.Single(link => link.Name == session.Get(LinkName));
        (double? megabits, TimeSpan? delay) = (session.Get(Bandwidth), session.Get(Delay));
        Deployment deployment = new()
        {
            Witnesses = new CommitteeSize(session.Get(Witnesses)),
            Size = session.Get(Size),
            Publishers = session.Get(Publishers),
            Receivers = session.Get(Receivers),
            Link = new Link(megabits is null && delay is null ? preset.Name : "named", megabits * 1e6 / 8 ?? preset.BytesPerSecond, delay?.TotalSeconds ?? preset.DelaySeconds),
            Cores = session.Get(Cores) ?? Environment.ProcessorCount,
            IsShared = session.Get(Shared),
        };
        if (session.Has(Options.Cluster))
        {
            ClusterFile file = ClusterFolder.Of(session).Load();
            TopicPolicy? policy = file.Topics.FirstOrDefault(topic => topic.Pattern == "*");
            deployment = deployment with { Witnesses = file.Committee.Size, Limits = file.Limits, RetainAge = policy?.RetainAge, RetainBytes = policy?.RetainBytes };
        }

        return session.Get(Retention) is { } days ? deployment with { RetainAge = TimeSpan.FromDays(days), RetainBytes = null } : deployment;
    }
}
