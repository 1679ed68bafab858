using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Bft.Fuzz.Targets;

namespace Bft.Fuzz;

/// <summary>The command line.</summary>
internal static class Program
{
    private static readonly Option<string> TargetName = new("--target") { Description = $"Which decoder: all, or some of {string.Join(", ", AllTargets.Names)} (several with commas).", DefaultValueFactory = _ => "all" };
    private static readonly Option<string> For = new("--for") { Description = "How long, over all targets: a number and s, m or h.", DefaultValueFactory = _ => "60s" };
    private static readonly Option<ulong> Seed = new("--seed") { Description = "The same seed tries the same inputs in the same order.", DefaultValueFactory = _ => 1 };
    private static readonly Option<string?> CorpusFolder = new("--corpus") { Description = "Where the corpus is: a folder per target. Default: the one in the source tree." };
    private static readonly Option<string> Out = new("--out") { Description = "Where inputs are written that break something.", DefaultValueFactory = _ => "fuzz-findings" };
    private static readonly Option<string?> Replay = new("--replay") { Description = "Run this one input against --target, and say what came of it." };
    private static readonly Option<bool> WriteCorpus = new("--write-corpus") { Description = "Write samples and edge cases to the corpus, and end." };

    public static int Main(string[] args)
    {
        RootCommand command = new("""
            Gives hostile bytes to every decoder, and holds what it makes of them: no exception, the same answer twice,
            bounded memory and time, one encoding for one meaning, nothing verified that nobody signed.

            Exit codes: 0 nothing was found, 1 something was, 2 usage.
            """);
        foreach (Option option in new Option[] { TargetName, For, Seed, CorpusFolder, Out, Replay, WriteCorpus })
        {
            command.Options.Add(option);
        }

        command.SetAction(Run);
        return command.Parse(args).Invoke() is var code && code is Exit.Ok or Exit.Found ? code : Exit.Usage;
    }

    private static int Run(ParseResult parse)
    {
        string[] names = parse.GetValue(TargetName) is "all" ? [.. AllTargets.Names] : parse.GetValue(TargetName)!.Split(',');
        if (names.FirstOrDefault(name => !AllTargets.Names.Contains(name)) is { } unknown)
        {
            return Refuse($"there is no target '{unknown}'.");
        }

        if (parse.GetValue(Replay) is { } replay)
        {
            return names.Length == 1 && File.Exists(replay) ? ReplayOne(names[0], replay) : Refuse("--replay takes a file, and --target one target.");
        }

        if (Duration(parse.GetValue(For)!) is not { } time)
        {
            return Refuse($"'{parse.GetValue(For)}' is no duration; write 90s, 10m or 2h.");
        }

        if ((parse.GetValue(CorpusFolder) ?? Corpus.Default) is not { } corpus)
        {
            return Refuse("no corpus was found; say where it is with --corpus.");
        }

        using CancellationTokenSource stop = new();
        Console.CancelKeyPress += (_, interrupt) =>
        {
            // The first ends the run with its summary; another one ends it at once.
            interrupt.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        };
        return parse.GetValue(WriteCorpus) ? Write(names, corpus) : new Session(names, corpus, parse.GetValue(Out)!, parse.GetValue(Seed)).Run(time, stop.Token);
    }

    private static int Write(string[] names, string corpus)
    {
        foreach (string name in names)
        {
            Console.WriteLine($"{name}: {Corpus.Write(corpus, AllTargets.Create(name)!)} files");
        }

        return Exit.Ok;
    }

    private static int ReplayOne(string name, string path)
    {
        Target target = AllTargets.Create(name)!;
        byte[] input = Path.GetFileName(path).EndsWith(Session.LastSuffix, StringComparison.Ordinal) ? LastInput.Read(path).Input : File.ReadAllBytes(path);
        long begun = Stopwatch.GetTimestamp();
        Finding? finding = Probe.Of(target, input, out Outcome outcome, out long allocated);
        Console.WriteLine(finding is null
            ? $"{name}: {(outcome.IsAccepted ? "accepted" : "refused")}, {allocated} bytes allocated for {input.Length}, {Stopwatch.GetElapsedTime(begun).TotalMilliseconds:0.0} ms"
            : $"FOUND {finding.Kind} in {name}: {finding.Text}");
        return finding is null ? Exit.Ok : Exit.Found;
    }

    private static int Refuse(string problem)
    {
        Console.Error.WriteLine($"bft-fuzz: {problem} Try --help.");
        return Exit.Usage;
    }

    private static TimeSpan? Duration(string text)
    {
        int seconds = text.Length < 2 ? 0 : text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, _ => 0 };
        return seconds > 0 && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? TimeSpan.FromSeconds((double)count * seconds) : null;
    }
}
