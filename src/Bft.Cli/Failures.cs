using Bft.Bench.Load;
using Bft.Client;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Node;
using Bft.Protocol.Model;
using Bft.Storage;

namespace Bft.Cli;

/// <summary>Which exit code and sentence an exception is.</summary>
internal static class Failures
{
    public static (ExitCode Code, string Message) Of(Exception error) => error switch
    {
        CommandException command => (command.Code, command.Message),
        NodeFailure node => ((ExitCode)node.ExitCode, node.Message),
        ClusterFileException or KeyFileException => (ExitCode.Usage, error.Message),
        PublishRefusedException { Reason: RefusalReason.ProvenFaulty } or JournalLostException or ForkException => (ExitCode.Evidence, error.Message),
        PublisherJournalException or CursorInUseException => (ExitCode.Machine, error.Message),
        PublishException or SubscriptionException or LoadFailedException => (ExitCode.Invalid, error.Message),
        JournalDamageException or JournalMismatchException or JournalPoisonedException => (ExitCode.Machine, error.Message), // of a cursor
        CryptoLibraryException => (ExitCode.Machine, error.Message),
        DiskException or IOException or UnauthorizedAccessException => (ExitCode.Machine, error.Message),
        _ => (ExitCode.Bug, $"this is a bug; please report it with these lines.\n{error}"),
    };
}
