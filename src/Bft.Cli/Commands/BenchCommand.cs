using System.CommandLine;
using System.Globalization;
using Bft.Bench;
using Bft.Bench.Faults;
using Bft.Bench.Floors;
using Bft.Bench.Load;
using Bft.Bench.Results;
using Bft.Cli.Output;

namespace Bft.Cli.Commands;

/// <summary>`bft bench`: how fast it is here, measured with real processes.</summary>
internal static class BenchCommand
{
    private static readonly Argument<string[]> Workloads = new("workload")
    {
        Arity = ArgumentArity.ZeroOrMore,
        Description = $"What to measure: {string.Join(", ", BenchRun.Workloads)}. Default: throughput and latency.",
        DefaultValueFactory = _ => ["throughput", "latency"],
    };

    private static readonly Option<bool> Peers = new("--peers")
    {
        Description = "throughput, latency: the same messages also through NATS JetStream (three replicas) and RabbitMQ (quorum queue on three nodes), where they are installed, in turn; says how many times as fast each is.",
    };

    private static readonly Option<int[]> Size = new("--size")
    {
        HelpName = "BYTES",
        AllowMultipleArgumentsPerToken = true,
        Description = "Payload of a message; a number, or one with KiB or MiB. Default: 100, for throughput 16, 100, 1KiB, 16KiB and 1MiB, with --peers 100 and 1KiB.",
        CustomParser = result => [.. result.Tokens.Select(token => SizeOf(token.Value, result.AddError))],
    };

    private static readonly Option<TimeSpan?> Seconds = Options.Time("--seconds", "How long each figure is measured. Default: 10s, with --peers 4s.");

    private static readonly Option<TimeSpan?> WarmUp = Options.Time("--warm-up", "How long the same load runs before. Default: 3s, with --peers 2s.");

    private static readonly Option<double?> Rate = new("--rate")
    {
        HelpName = "N",
        Description = "Saturation in messages per second, of which open loops take 10, 50 and 80 %. Default: it is measured first.",
    };

    private static readonly Option<int> Rounds = new("--rounds")
    {
        HelpName = "N",
        Description = "faulty: how many pairs of a run with the fault and one without; recovery: how many kills; transport: parts that each figure is measured in; --peers: how many turns, by default 3. Medians are shown.",
        DefaultValueFactory = _ => 5,
    };

    private static readonly Option<string[]> Fault = new("--fault")
    {
        HelpName = "FAULT",
        AllowMultipleArgumentsPerToken = true,
        Description = $"faulty: what one witness is: {string.Join(", ", BenchRun.Faults)}. Default: each in turn.",
        DefaultValueFactory = _ => [.. BenchRun.Faults],
    };

    private static readonly Option<int> Streams = new("--streams")
    {
        HelpName = "N",
        Description = "idle-streams: how many.",
        DefaultValueFactory = _ => 2000,
    };

    private static readonly Option<int[]> Count = new("--count")
    {
        HelpName = "N",
        AllowMultipleArgumentsPerToken = true,
        Description = "publishers: how many publish; fanout: how many receive; a case for each. Default: 1 10 100 1000 publishers, 1 10 100 receivers.",
        DefaultValueFactory = _ => [],
    };

    private static readonly Option<int> Witnesses = new("--witnesses", "-n")
    {
        HelpName = "N",
        Description = "How many witnesses.",
        DefaultValueFactory = _ => 4,
    };

    private static readonly Option<int> Seed = new("--seed")
    {
        HelpName = "N",
        Description = "Chooses the messages' bytes: the same number, the same messages.",
        DefaultValueFactory = _ => 1,
    };

    private static readonly Option<string?> Compare = new("--compare")
    {
        HelpName = "FILE",
        Arity = ArgumentArity.ZeroOrOne,
        Description = "Set the figures beside those of a file that --json printed, and end with 14 when one lost more than 10 %. Default FILE: what was published with this program.",
    };

    public static Command Create(Interruption interruption)
    {
        Rounds.Validators.Add(result => Options.Demand(result.GetValueOrDefault<int>() >= 1, "--rounds is at least 1.", result.AddError));
        Streams.Validators.Add(result => Options.Demand(result.GetValueOrDefault<int>() is >= 4 and <= 1_000_000, "--streams is from 4 to 1,000,000.", result.AddError));
        Count.Validators.Add(result => Options.Demand((result.GetValueOrDefault<int[]>() ?? []).All(count => count is >= 1 and <= 4000), "--count is from 1 to 4,000.", result.AddError));
        Witnesses.Validators.Add(result => Options.Demand(result.GetValueOrDefault<int>() is >= 4 and <= 64, "--witnesses is from 4 to 64.", result.AddError));
        Rate.Validators.Add(result => Options.Demand(result.GetValueOrDefault<double?>() is null or >= 10, "--rate is at least 10.", result.AddError));
        Workloads.AcceptOnlyFromAmong([.. BenchRun.Workloads]);
        Fault.AcceptOnlyFromAmong([.. BenchRun.Faults]);
        Command command = new("bench", "Measure how fast it is on this machine.") { Workloads, Peers, Size, Seconds, WarmUp, Rate, Rounds, Fault, Count, Streams, Witnesses, Seed, Compare };
        command.Validators.Add(result => Options.Demand(
            !result.GetValue(Peers) || result.GetValue(Workloads)!.All(workload => BenchRun.WorkloadsOfPeers.Contains(workload, StringComparer.Ordinal)), $"--peers is for {string.Join(" and ", BenchRun.WorkloadsOfPeers)}.", result.AddError));
        HelpWithExamples.Add(command, """
            Examples:
              bft bench                                             throughput and latency, some four minutes
              bft bench throughput --compare                        beside the published figures
              bft bench throughput --size 100 --seconds 60
              bft bench latency --size 1KiB --rate 200000
              bft bench faulty --fault dead --rounds 5 --json
              bft bench catching-up
              bft bench --peers                                     beside NATS and RabbitMQ, some twenty minutes

            Witnesses run as processes of their own on free ports of 127.0.0.1, with TLS, and flush before they
            ack; publisher and receiver are in this process. The receiver checks every byte of every message, and
            a run that loses, doubles or changes one fails. In an open loop messages go on a fixed schedule, 1 ms
            apart or together, and latency counts from when a message was due, whether or not it could be sent
            then. Peers run on free ports, too, without TLS and with their usual durability. docs/cli.md has the
            workloads and JSON fields. Nothing is left behind.
            """);
        Session.Bind(command, interruption, RunAsync);
        return command;
    }

    /// <summary>What stands in the witnesses' place while the transport floor is measured.</summary>
    public static Command CreateDiscard(Interruption interruption)
    {
        Option<string> directory = new("--directory") { Required = true };
        Option<string> listen = new("--listen") { Required = true };
        Option<string> journal = new("--journal") { Required = true };
        Option<double> flushes = new("--flushes") { Required = true };
        Command command = new(DiscardParty.Command, "Takes bytes and discards them, for bench.") { directory, listen, journal, flushes };
        command.Hidden = true;
        Session.Bind(command, interruption, async session =>
        {
            using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(session.Interrupted);
            _ = NodeCommand.StopWithInputAsync(stop);
            await DiscardParty.RunAsync(session.Get(directory), session.Get(listen), session.Get(journal), session.Get(flushes), Console.Out, stop.Token);
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>The hostile witness that `bench faulty` puts in an honest one's place.</summary>
    public static Command CreateHostile(Interruption interruption)
    {
        Option<string> directory = new("--directory") { Required = true };
        Option<string> listen = new("--listen") { Required = true };
        Option<string> run = new("--run") { Required = true };
        Option<bool> garbled = new("--garbled");
        Command command = new(HostileParty.Command, "A hostile witness, for bench.") { Options.Cluster, directory, listen, run, garbled };
        command.Hidden = true;
        Session.Bind(command, interruption, async session =>
        {
            using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(session.Interrupted);
            _ = NodeCommand.StopWithInputAsync(stop);
            await HostileParty.RunAsync(session.Get(Options.Cluster)!, session.Get(directory), session.Get(listen), session.Get(run), session.Get(garbled), Console.Out, stop.Token);
            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task<ExitCode> RunAsync(Session session)
    {
        bool hasPeers = session.Get(Peers);
        BenchOptions options = new()
        {
            HasPeers = hasPeers,
            Workloads = session.Get(Workloads),
            Witnesses = session.Get(Witnesses),
            Sizes = session.Get(Size) ?? [],
            Time = session.Get(Seconds) ?? TimeSpan.FromSeconds(hasPeers ? 4 : 10),
            WarmUp = session.Get(WarmUp) ?? TimeSpan.FromSeconds(hasPeers ? 2 : 3),
            Rate = session.Get(Rate),
            Rounds = hasPeers && !session.Has(Rounds) ? 3 : session.Get(Rounds),
            Faults = session.Get(Fault),
            Counts = session.Get(Count) ?? [],
            Streams = session.Get(Streams),
            Seed = session.Get(Seed),
        };
        Published? published = session.Has(Compare) ? PublishedIn(session.Get(Compare) ?? Path.Combine(AppContext.BaseDirectory, "figures.json")) : null;
        BenchView view = new(session);
        try
        {
            await using (new ProgressLine(session, () => view.Progress))
            {
                await BenchRun.RunAsync(options, view, session.Interrupted);
            }
        }
        catch (Exception error) when (error is not LoadFailedException && session.Interrupted.IsCancellationRequested)
        {
            // However the calls under way put it.
            throw new OperationCanceledException(session.Interrupted);
        }
        finally
        {
            view.Show();
        }

        return published is null ? ExitCode.Ok : new ComparisonView(session).Show(published, view.Cases);
    }

    private static Published PublishedIn(string path)
    {
        try
        {
            return Published.Parse(File.ReadLines(path));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new CommandException(ExitCode.Usage, $"{path} cannot be compared with: {error.Message}");
        }
    }

    internal static int SizeOf(string text, Action<string> addError)
    {
        int size = TryParseSize(text) ?? 0;
        Options.Demand(size is >= 8 and <= 1024 * 1024, $"'{text}' is no size: from 8 to 1MiB, which is a number with or without KiB or MiB.", addError);
        return Math.Max(8, size);
    }

    internal static int? TryParseSize(string text)
    {
        (int suffix, int unit) = text switch
        {
            _ when text.EndsWith("KiB", StringComparison.Ordinal) => (3, 1024),
            _ when text.EndsWith("MiB", StringComparison.Ordinal) => (3, 1024 * 1024),
            _ => (0, 1),
        };
        return int.TryParse(text.AsSpan(0, text.Length - suffix), NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number <= int.MaxValue / unit ? number * unit : null;
    }
}
