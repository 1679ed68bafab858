using Bft.Node;

namespace Bft.Cli;

/// <summary>How a command ended. The one table: docs/cli.md repeats it and `bft --help` prints it.</summary>
internal enum ExitCode
{
    /// <summary>Done.</summary>
    Ok = 0,

    /// <summary>The command line or a file that it names is wrong; nothing was done.</summary>
    Usage = 1,

    /// <summary>No witness could be reached.</summary>
    Unreachable = 2,

    /// <summary>This machine refused: the disk, a permission, a library that is missing, a cursor that is in use or damaged.</summary>
    Machine = 3,

    /// <summary>Something is not valid: a receipt, a payload, a line above the limit, a message that the policy refuses.</summary>
    Invalid = 10,

    /// <summary>Some witnesses answered, but fewer than a quorum.</summary>
    UnderQuorum = 12,

    /// <summary>Evidence of a fault was met, or is held by the witnesses.</summary>
    Evidence = 13,

    /// <summary>`bench --compare`: a figure lost more than a tenth against the published ones. `plan --validate`: a prediction is off by more than a quarter.</summary>
    Slower = 14,

    /// <summary>The time given by --timeout is over.</summary>
    Timeout = 20,

    /// <summary>`node`: cluster.yaml or an option cannot be used.</summary>
    NodeSettings = NodeExitCode.Settings,

    /// <summary>`node`: a key or certificate is missing, open to others, malformed, or not the one that cluster.yaml names.</summary>
    NodeKey = NodeExitCode.Key,

    /// <summary>`node`: another process listens there.</summary>
    NodePortTaken = NodeExitCode.PortTaken,

    /// <summary>`node`: the data directory belongs to another cluster or witness.</summary>
    NodeForeignData = NodeExitCode.ForeignData,

    /// <summary>`node`: records that were durable are lost.</summary>
    NodeJournalDamaged = NodeExitCode.JournalDamaged,

    /// <summary>`node`: the disk refused a write or flush, or is full.</summary>
    NodeDisk = NodeExitCode.Disk,

    /// <summary>`node`: the crypto library is missing or too lax.</summary>
    NodeCrypto = NodeExitCode.Crypto,

    /// <summary>`node`: another process uses the data directory.</summary>
    NodeDataInUse = NodeExitCode.DataInUse,

    /// <summary>A bug of this program.</summary>
    Bug = NodeExitCode.Defect,

    /// <summary>SIGINT (Ctrl-C).</summary>
    Interrupted = 130,

    /// <summary>SIGTERM.</summary>
    Terminated = 143,
}

internal static class ExitCodes
{
    /// <summary>Each code with what it says, in the order of the numbers.</summary>
    public static IReadOnlyList<(ExitCode Code, string Meaning)> Table { get; } =
    [
        (ExitCode.Ok, "done"),
        (ExitCode.Usage, "the command line, cluster.yaml or a key file is wrong; nothing was done"),
        (ExitCode.Unreachable, "no witness could be reached"),
        (ExitCode.Machine, "this machine refused: disk, permission, missing library, a cursor in use or damaged"),
        (ExitCode.Invalid, "not valid: receipt, payload, line above the limit, refused message"),
        (ExitCode.UnderQuorum, "fewer witnesses than a quorum answered"),
        (ExitCode.Evidence, "evidence of a fault was met, or is held by the witnesses"),
        (ExitCode.Slower, "bench --compare: a figure lost more than 10 % against the published ones; plan --validate: a prediction is off by more than 25 %"),
        (ExitCode.Timeout, "the time given by --timeout is over"),
        (ExitCode.NodeSettings, "node: cluster.yaml or an option cannot be used"),
        (ExitCode.NodeKey, "node: a key or certificate is missing, open to others, or not the one in cluster.yaml"),
        (ExitCode.NodePortTaken, "node: another process listens on its port or Unix socket"),
        (ExitCode.NodeForeignData, "node: the data directory belongs to another cluster or witness"),
        (ExitCode.NodeJournalDamaged, "node: records that were durable are damaged or lost"),
        (ExitCode.NodeDisk, "node: the disk refused a write, or is full"),
        (ExitCode.NodeCrypto, "node: libsodium is missing or too lax"),
        (ExitCode.NodeDataInUse, "node: another process uses the data directory"),
        (ExitCode.Bug, "a bug of this program; please report it"),
        (ExitCode.Interrupted, "interrupted (Ctrl-C)"),
        (ExitCode.Terminated, "terminated (SIGTERM)"),
    ];
}
