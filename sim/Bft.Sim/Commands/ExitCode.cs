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
    /// <summary>The first checker's code; the others follow in the order of <see cref="Checkers"/>.</summary>
    private const int FirstChecker = 40;

    /// <summary>A checker that the table does not name.</summary>
    private const int OtherChecker = 59;

    /// <summary>Checkers by the order of their codes, with what a finding of each means.</summary>
    public static IReadOnlyList<(string Checker, string Meaning)> Checkers { get; } =
    [
        (Divergence.Checker, "two runs of one seed differ"),
        ("exception", "a correct party threw an exception or damaged its own journal"),
        ("consistency", "two batches certified or delivered in one slot"),
        ("integrity", "delivered or acked what no correct publisher broadcast"),
        ("validity", "a correct publisher's batch was not certified and delivered in time"),
        ("totality", "one receiver delivered what another did not in time"),
        ("order", "a receiver delivered out of order or with a gap"),
        ("duplication", "a receiver was given a slot again after it committed it"),
        ("durability", "an output revealed what was not durable"),
        ("equivocation", "a correct witness or publisher signed two values for one slot"),
        ("certificates", "a correct party accepted an invalid certificate"),
        ("memory", "a queue or table grew above its bound"),
        ("accountability", "a correct party was accused, or a fork names fewer than f + 1"),
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

    public static int Of(string checker)
    {
        for (int i = 0; i < Checkers.Count; i++)
        {
            if (Checkers[i].Checker == checker)
            {
                return FirstChecker + i;
            }
        }

        return OtherChecker;
    }

    /// <summary>The whole table for --help, one line per code.</summary>
    public static string Text() => string.Join('\n', Table
        .Select(row => (Code: (int)row.Code, row.Meaning))
        .Concat(Checkers.Select((row, i) => (Code: FirstChecker + i, Meaning: $"{row.Checker}: {row.Meaning}")))
        .Append((Code: OtherChecker, Meaning: "another checker's finding"))
        .OrderBy(row => row.Code)
        .Select(row => $"  {row.Code,3}  {row.Meaning}"));
}
