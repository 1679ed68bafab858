namespace Bft.Sim;

/// <summary>How `bft sim` ended, but for findings: those have a code per checker. The one table: docs/simulation.md repeats it and --help prints it.</summary>
internal enum ExitCode
{
    /// <summary>Every property held, or, beyond f, only what may break there broke.</summary>
    Ok = 0,

    /// <summary>The command line or a file that it names is wrong; nothing was run.</summary>
    Usage = 1,

    /// <summary>This machine refused: the disk, a permission.</summary>
    Machine = 3,

    /// <summary>A positive control ran and no checker saw what it must see.</summary>
    NothingSeen = 60,

    /// <summary>A planted bug was not found (--prove).</summary>
    NotProven = 61,

    /// <summary>A bug of this program.</summary>
    Bug = 70,

    /// <summary>SIGINT (Ctrl-C); what was found so far was said.</summary>
    Interrupted = 130,

    /// <summary>SIGTERM; what was found so far was said.</summary>
    Terminated = 143,
}

internal static class ExitCodes
{
    /// <summary>Two runs of one seed differ. No checker sees that: it takes two runs.</summary>
    private const int Nondeterminism = 40;

    private static readonly SortedDictionary<string, string> Meanings = new(StringComparer.Ordinal)
    {
        [Divergence.Checker] = "two runs of one seed differ",
        ["consistency"] = "two batches certified or delivered in one slot",
        ["integrity"] = "delivered what its publisher never broadcast",
        ["validity"] = "a correct publisher's batch was not certified or delivered in time",
        ["totality"] = "one correct receiver delivered what another did not in time, or before f + 1 witnesses held it",
        ["order"] = "delivered out of order or with a gap",
        ["no-duplication"] = "a slot was delivered again after it was committed",
        ["durability"] = "something was revealed that was not durable, or what was durable is gone",
        ["honest-equivocation"] = "a correct party signed two values for one slot",
        ["certificate-validity"] = "a correct party took or made an invalid certificate",
        ["bounded"] = "a queue or table grew above its bound",
        ["accountability"] = "a correct party was accused, or a fork names fewer than f + 1",
        ["no-crash"] = "a correct party threw an exception",
        ["fresh-acks"] = "a witness acked afresh where it may not: memory lost, publisher proven, incarnation retired, link not stored",
    };

    /// <summary>Codes of findings, in the order of the numbers.</summary>
    public static IReadOnlyList<(int Code, string Checker, string Meaning)> Findings { get; } =
    [
        .. Checkers.All().Select(checker => checker.Name).Where(Meanings.ContainsKey).Select(name => (Checkers.ExitCodeOf(name), name, Meanings[name])),
        (Nondeterminism, Divergence.Checker, Meanings[Divergence.Checker]),
    ];

    /// <summary>Each code that is no checker's, with what it says, in the order of the numbers.</summary>
    public static IReadOnlyList<(ExitCode Code, string Meaning)> Table { get; } =
    [
        (ExitCode.Ok, "every property held (beyond f: those that must hold there)"),
        (ExitCode.Usage, "the command line or a file is wrong; nothing was run"),
        (ExitCode.Machine, "this machine refused: disk, permission"),
        (ExitCode.NothingSeen, "a positive control ran, and no checker saw it"),
        (ExitCode.NotProven, "a planted bug was not found"),
        (ExitCode.Bug, "a bug of this program; please report it"),
        (ExitCode.Interrupted, "interrupted (Ctrl-C); what was found so far was said"),
        (ExitCode.Terminated, "terminated (SIGTERM); what was found so far was said"),
    ];

    public static int Of(string checker) => checker == Divergence.Checker ? Nondeterminism : Checkers.ExitCodeOf(checker);

    /// <summary>The whole table for --help, one line per code.</summary>
    public static string Text() => string.Join('\n', Table
        .Select(row => (Code: (int)row.Code, row.Meaning))
        .Concat(Findings.Select(row => (row.Code, Meaning: $"{row.Checker}: {row.Meaning}")))
        .OrderBy(row => row.Code)
        .Select(row => $"  {row.Code,3}  {row.Meaning}"));
}
