using Bft.Client.Tests.Support;
using Bft.Crypto;
using Bft.Node.Tests.Support;
using Bft.Protocol.Bodies;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Publishing;
using Bft.Protocol.Verification;
using Bft.Storage;
using Bft.Wire.Frames;
using RoleOptions = Bft.Protocol.Publishing.PublisherOptions;

namespace Bft.Client.Tests.Publishing;

/// <summary>The driver with nobody around it: frames in, frames out.</summary>
public sealed class PublisherDriverTests : IAsyncDisposable
{
    private static readonly RoleOptions Patience = new() { ResendFirstTicks = 10, ResendMaxTicks = 40, HandOverTicks = 5, RetiredTicks = 50 };
    private static readonly Topic Topic = new("orders");

    private readonly LocalCluster _cluster = new();
    private readonly Outputs _outputs;
    private readonly TemporaryFolder _data = new();

    public PublisherDriverTests() => _outputs = new Outputs(_cluster.Committee.Cluster);

    [Fact]
    public void P7_nothing_is_signed_or_journalled_while_the_witnesses_are_asked()
    {
        using PublisherJournal journal = OpenJournal();
        PublisherDriver driver = NewDriver(journal);
        ConnectAll(driver);

        Assert.Equal(4, _outputs.Frames.Count(frame => frame is InquiryFrame));
        Assert.Equal(WaitReason.Asking, driver.WhyMustWait(1));
        Answer(driver, 0);
        Answer(driver, 1);
        Answer(driver, 1);
        Assert.Equal(WaitReason.Asking, driver.WhyMustWait(1));
        Assert.Null(driver.Header);
        Assert.Null(driver.Seal());

        Answer(driver, 2);

        Assert.Null(driver.WhyMustWait(1));
        Assert.NotNull(driver.Header);
    }

    [Fact]
    public void P2_no_batch_leaves_before_the_commit_that_holds_it()
    {
        using PublisherJournal journal = OpenJournal();
        PublisherDriver driver = Opened(journal);
        Submit(driver, "m");
        JournalCommit commit = driver.Seal()!;
        commit.Perform();
        Assert.Empty(_outputs.Batches);

        driver.OnCommitted(commit);

        Assert.Equal(4, _outputs.Batches.Count);
    }

    [Fact]
    public void P2_a_commit_of_the_old_incarnation_lets_nothing_of_the_new_one_leave()
    {
        using PublisherJournal journal = OpenJournal();
        PublisherDriver driver = Opened(journal);
        Submit(driver, "m");
        Commit(driver);
        Submit(driver, "n");
        JournalCommit old = driver.Seal()!;
        StreamId first = driver.Header!.Id;
        Refuse(driver, RefusalReason.Retired, 0, 1);
        Assert.NotEqual(first, driver.Header!.Id);

        old.Perform();
        driver.OnCommitted(old);
        Assert.DoesNotContain(_outputs.Batches, batch => batch.Header.Id != first);

        Commit(driver);
        Assert.Equal(8, _outputs.Batches.Count(batch => batch.Header == driver.Header && batch.Body.IsPossibleRepeat));
    }

    [Fact]
    public void P6_full_calls_for_one_new_incarnation_per_time_out()
    {
        PublisherDriver driver = Opened(journal: null);
        Submit(driver, "m");
        Refuse(driver, RefusalReason.Full, 0, 1);
        Incarnation second = driver.Header!.Incarnation;
        Assert.Equal(2, _outputs.Opened.Count);

        Refuse(driver, RefusalReason.Full, 0, 1);
        Tick(driver, Patience.RetiredTicks - 1);
        Assert.Equal(2, _outputs.Opened.Count);
        Tick(driver, 1);

        Assert.Equal(3, _outputs.Opened.Count);
        Assert.True(driver.Header!.Incarnation > second);
        Assert.All(_outputs.Batches.Where(batch => batch.Header != _outputs.Opened[0]), batch => Assert.True(batch.Body.IsPossibleRepeat));
    }

    [Fact]
    public void P6_f_plus_1_permanent_refusals_end_it_and_one_does_not()
    {
        PublisherDriver driver = Opened(journal: null);
        Submit(driver, "m");
        Refuse(driver, RefusalReason.NotAllowed, 0);
        Assert.Null(_outputs.Ended);

        Refuse(driver, RefusalReason.NotAllowed, 1);

        Assert.Equal(RefusalReason.NotAllowed, Assert.IsType<PublishRefusedException>(_outputs.Ended).Reason);
        Assert.Equal(WaitReason.Ended, driver.WhyMustWait(1));
        Assert.Equal(["m"], driver.End());
    }

    [Fact]
    public void P6_f_plus_1_witnesses_that_do_not_know_the_key_at_a_time_end_it_and_fewer_do_not()
    {
        PublisherDriver driver = Opened(journal: null);
        driver.OnNotAdmitted(new WitnessIndex(0));
        driver.OnNotAdmitted(new WitnessIndex(0));
        driver.OnConnected(new WitnessIndex(0)); // its cluster.yaml was read again
        driver.OnNotAdmitted(new WitnessIndex(1));
        Assert.Null(_outputs.Ended);

        driver.OnNotAdmitted(new WitnessIndex(2));

        Assert.Equal(RefusalReason.NotAllowed, Assert.IsType<PublishRefusedException>(_outputs.Ended).Reason);
    }

    [Fact]
    public void P7_a_new_incarnation_is_above_every_known_one_though_the_clock_was_set_back()
    {
        using (PublisherJournal before = OpenJournal())
        {
            before.Append(new Incarnation(5000, 9));
            before.Abandon();
            before.Flush();
        }

        using PublisherJournal journal = OpenJournal();
        PublisherDriver driver = Opened(journal); // at 1000

        Assert.Equal(new Incarnation(5001, 7), driver.Header!.Incarnation);
    }

    [Fact]
    public void P6_an_original_that_we_never_signed_ends_it_with_the_proof()
    {
        PublisherDriver driver = Opened(journal: null);
        Submit(driver, "m");
        BatchStatement copied = BatchStatement.Create(driver.Header!, new Sequence(7), Ancestor.Previous(Sha256.Hash([1])), _outputs.Batches[0].Body);
        driver.OnFrame(new WitnessIndex(0), new RefusalFrame(copied.Reference.Slot, RefusalReason.Conflict)
        {
            Original = new SignedStatement(copied.Bytes, _cluster.Publisher.Sign(copied.Bytes.Span)),
        });

        Assert.Equal(copied.Reference, Assert.IsType<JournalLostException>(_outputs.Ended).Proof.Shown!.Reference);
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        _data.Dispose();
    }

    private PublisherJournal OpenJournal()
    {
        Directory.CreateDirectory(_data.Path);
        return PublisherJournal.Open(FileDisk.At(_data.Path), JournalId.FromRandom("sixteen bytes..."u8));
    }

    private PublisherDriver NewDriver(PublisherJournal? journal) =>
        new(_cluster.Committee, Topic, _cluster.Publisher, Ed25519.Instance, Patience, journal, () => 7, nowMs: 1000, _outputs);

    private PublisherDriver Opened(PublisherJournal? journal)
    {
        PublisherDriver driver = NewDriver(journal);
        ConnectAll(driver);
        for (int witness = 0; witness < 3; witness++)
        {
            Answer(driver, witness);
        }

        return driver;
    }

    private static void ConnectAll(PublisherDriver driver) => Array.ForEach([0, 1, 2, 3], witness => driver.OnConnected(new WitnessIndex(witness)));

    private static void Answer(PublisherDriver driver, int witness) => driver.OnFrame(new WitnessIndex(witness), new StandingFrame(Topic, [], []));

    private static void Refuse(PublisherDriver driver, RefusalReason reason, params int[] witnesses)
    {
        Slot slot = new(driver.Header!.Id, Sequence.Zero);
        Array.ForEach(witnesses, witness => driver.OnFrame(new WitnessIndex(witness), new RefusalFrame(slot, reason)));
    }

    private static void Tick(PublisherDriver driver, int count)
    {
        for (int i = 0; i < count; i++)
        {
            driver.OnTick(nowMs: 1000);
        }
    }

    private static void Commit(PublisherDriver driver)
    {
        JournalCommit commit = driver.Seal()!;
        commit.Perform();
        driver.OnCommitted(commit);
    }

    private void Submit(PublisherDriver driver, string ticket)
    {
        BodyBuilder body = new(_cluster.Committee.Limits);
        Assert.True(body.TryAdd(new Message(new byte[10])));
        driver.Submit(body, ticket);
    }

    private sealed class Outputs(ClusterId cluster) : IPublisherOutputs
    {
        public List<IPublishRequest> Frames { get; } = [];

        public List<BatchStatement> Batches { get; } = [];

        public List<StreamHeader> Opened { get; } = [];

        public PublishException? Ended { get; private set; }

        void IPublisherOutputs.Send(WitnessIndex to, IPublishRequest frame) => Frames.Add(frame);

        void IPublisherOutputs.Send(WitnessIndex to, BatchFrame batch, Slot slot)
        {
            Assert.True(BatchStatement.TryParse(cluster, batch.Batch.Statement.Span, out BatchStatement? statement, out _));
            Batches.Add(statement);
        }

        void IPublisherOutputs.Covered(CoveredBatch covered, ArraySegment<VerifiedStatement> upToCertificate, object? ticket) => Assert.Fail("Nobody acks here.");

        void IPublisherOutputs.Asking(int answers, int needed)
        {
        }

        void IPublisherOutputs.Opened(StreamHeader stream, string why) => Opened.Add(stream);

        void IPublisherOutputs.Misbehaved(WitnessIndex witness, string what) => Assert.Fail(what);

        void IPublisherOutputs.Ended(PublishException reason) => Ended = reason;
    }
}
