using Bft.Bench.Load;
using Bft.Client;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Node;
using Bft.Protocol.Model;
using Bft.Protocol.Publishing;
using Bft.Storage;

namespace Bft.Cli.Tests;

public sealed class FailuresTests
{
    private static readonly Topic Topic = new("orders");
    private static readonly DiskException Disk = new("cursor", "write", 28);

    /// <summary>What people and machines do wrong, or meet. Only what nobody foresaw is a bug.</summary>
    public static TheoryData<Exception, int> Foreseen => new()
    {
        { new CommandException(ExitCode.Timeout, "over"), (int)ExitCode.Timeout },
        { new NodeFailure(NodeExitCode.PortTaken, "taken"), (int)ExitCode.NodePortTaken },
        { new ClusterFileException("cluster.yaml", 1, "wrong"), (int)ExitCode.Usage },
        { new KeyFileException("client.key", "open to others"), (int)ExitCode.Usage },
        { new PublishRefusedException(RefusalReason.ProvenFaulty, Topic, "proven"), (int)ExitCode.Evidence },
        { new JournalLostException(Topic, new JournalLost(default, null, null, null)), (int)ExitCode.Evidence },
        { new PublishRefusedException(RefusalReason.NotAllowed, Topic, "not allowed"), (int)ExitCode.Invalid },
        { new PublisherJournalException(Topic, Disk), (int)ExitCode.Machine },
        { new SubscriptionRefusedException(Topic, "not allowed"), (int)ExitCode.Invalid },
        { new LoadFailedException("nothing was certified"), (int)ExitCode.Invalid },
        { new CursorInUseException("ledger", "folder"), (int)ExitCode.Machine },
        { new JournalDamageException("1.journal", 7, "other bytes."), (int)ExitCode.Machine },
        { new JournalMismatchException("1.journal", "another's."), (int)ExitCode.Machine },
        { new JournalPoisonedException(Disk), (int)ExitCode.Machine },
        { new CryptoLibraryException("missing"), (int)ExitCode.Machine },
        { Disk, (int)ExitCode.Machine },
        { new FileNotFoundException("gone"), (int)ExitCode.Machine },
        { new UnauthorizedAccessException("closed"), (int)ExitCode.Machine },
    };

    [Theory]
    [MemberData(nameof(Foreseen))]
    public void What_is_foreseen_has_a_code_and_its_own_sentence(Exception error, int code) => Assert.Equal(((ExitCode)code, error.Message), Failures.Of(error));

    [Fact]
    public void What_nobody_foresaw_is_a_bug_with_all_that_is_known_of_it()
    {
        (ExitCode code, string message) = Failures.Of(new InvalidOperationException("odd"));

        Assert.Equal(ExitCode.Bug, code);
        Assert.Contains("please report", message, StringComparison.Ordinal);
        Assert.Contains(nameof(InvalidOperationException), message, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_code_stands_in_the_table_once_and_in_order() =>
        Assert.Equal(Enum.GetValues<ExitCode>().Order(), ExitCodes.Table.Select(row => row.Code));
}
