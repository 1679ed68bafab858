using System.Diagnostics.CodeAnalysis;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Storage;
using Microsoft.AspNetCore.Connections;

namespace Bft.Node;

/// <summary>Exit codes of a witness process. Below 30 are those of the command line.</summary>
public static class NodeExitCode
{
    public const int Ok = 0;

    /// <summary>cluster.yaml or an option cannot be used.</summary>
    public const int Settings = 30;

    /// <summary>A key or certificate is missing, open to others, malformed, or not the one that cluster.yaml names.</summary>
    public const int Key = 31;

    /// <summary>Another process listens there.</summary>
    public const int PortTaken = 32;

    /// <summary>The data directory belongs to another cluster or witness.</summary>
    public const int ForeignData = 33;

    /// <summary>Records that were durable are lost.</summary>
    public const int JournalDamaged = 34;

    /// <summary>The disk refused a write or flush, or is full.</summary>
    public const int Disk = 35;

    /// <summary>The crypto library is missing or too lax.</summary>
    public const int Crypto = 36;

    /// <summary>Another process uses the data directory.</summary>
    public const int DataInUse = 37;

    /// <summary>A defect: an assertion about our own state does not hold.</summary>
    public const int Defect = 70;
}

/// <summary>Why a witness did not start or had to stop. The message is for an operator and says what to do.</summary>
[SuppressMessage("Naming", "CA1710", Justification = "It is what the operator sees: a failure with an exit code.")]
public sealed class NodeFailure : Exception
{
    public NodeFailure(int exitCode, string message, Exception? cause = null)
        : base(message, cause) => ExitCode = exitCode;

    /// <summary>One of <see cref="NodeExitCode"/>.</summary>
    public int ExitCode { get; }

    internal static NodeFailure Of(Exception cause) => cause switch
    {
        NodeFailure failure => failure,
        ClusterFileException => new NodeFailure(NodeExitCode.Settings, cause.Message, cause),
        KeyFileException => new NodeFailure(NodeExitCode.Key, cause.Message, cause),
        IOException { InnerException: AddressInUseException } => new NodeFailure(
            NodeExitCode.PortTaken, $"{cause.InnerException.Message}. Stop the other process, or change the address in cluster.yaml.", cause),
        ForeignJournalException or JournalMismatchException => new NodeFailure(NodeExitCode.ForeignData, cause.Message, cause),
        JournalDamageException => new NodeFailure(NodeExitCode.JournalDamaged, cause.Message, cause),
        DiskException or JournalPoisonedException => new NodeFailure(
            NodeExitCode.Disk, $"{cause.Message} This process signs nothing more. Free or repair the disk, then start it again: what is in doubt is rewritten.", cause),
        CryptoLibraryException => new NodeFailure(NodeExitCode.Crypto, cause.Message, cause),
        _ => new NodeFailure(NodeExitCode.Defect, $"Stopped by a defect: {cause}", cause),
    };
}
