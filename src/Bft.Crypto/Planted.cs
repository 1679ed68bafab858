#if PLANTED
namespace Bft.Crypto;

/// <summary>A bug that is compiled into the <c>Planted</c> configuration, and bites only while it is active.</summary>
/// <param name="Name">As it stands in the code and on the command line.</param>
/// <param name="What">What is wrong then.</param>
public sealed record PlantedBug(string Name, string What);

/// <summary>Known bugs: the simulator proves itself by finding each. No other configuration has this type.</summary>
public static class Planted
{
    /// <summary>The bug that bites on this thread; null for none.</summary>
    [ThreadStatic]
    private static string? _active;

    /// <summary>In the order of the rules that they break.</summary>
    public static IReadOnlyList<PlantedBug> All { get; } =
    [
        new("quorum-2f", "a quorum is 2f"),
        new("quorum-2f1", "a quorum is 2f + 1 for every n"),
        new("signer-uniqueness", "one witness counts twice in a certificate"),
        new("duplicates-counted", "a repeated ack counts again at assembly"),
        new("last-ack-wins", "a witness's later ack replaces its first in the collector"),
        new("ack-before-flush", "acks are signed when their commit is sealed, not when it is durable"),
        new("ack-table-in-memory", "acks are not restored from the journal"),
        new("skip-bad-record", "recovery takes a damaged commit for the end, or for a whole one, and goes on"),
        new("flush-error-ignored", "a flush that failed counts as done"),
        new("epoch-unsigned", "an ack's signature does not cover its epoch, and any epoch is taken"),
        new("topic-unsigned", "a stream's id covers neither topic nor cluster"),
        new("body-unchecked", "a body is not compared with its statement"),
        new("sequence-off-by-one", "a batch is acked one slot too early"),
        new("delivered-set-lost", "a cursor is forgotten at a restart"),
        new("certificate-not-passed-on", "nobody hands certificates to witnesses that lag"),
        new("fetch-one-peer", "a fetch asks one peer for ever"),
        new("future-unbounded", "any slot is held, however far ahead, and any number of bytes"),
        new("accuse-two-signatures", "two signatures over one statement are evidence"),
        new("sequence-reused", "a publisher's journal is not restored"),
        new("base-too-low", "an ack claims slots where another batch was acked"),
        new("ack-leaves-hole", "an ack may leave a lower slot uncovered"),
        new("tip-before-durable", "a tip is shown when its certificate is recorded, not when it is durable"),
        new("acks-not-exchanged", "a witness's acks go to the publisher only"),
        new("retention-forgets-acks", "the highest acked slot is forgotten with what is replayed"),
        new("link-unchecked", "a batch with a link is acked before the link's target is stored"),
        new("start-asks-nobody", "a start does not wait for what its peers hold of it"),
        new("proven-acked", "there are fresh acks for a publisher that is proven faulty"),
        new("retired-acked", "a retired incarnation may join again"),
    ];

    public static string? Active
    {
        get => _active;
        set => _active = value;
    }

    public static bool Is(string name) => string.Equals(_active, name, StringComparison.Ordinal);
}
#endif
