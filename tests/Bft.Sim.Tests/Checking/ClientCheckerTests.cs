using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Sim.Tests.Checking;

/// <summary>What checkers see of publishers that begin anew, and of receivers that skip or accuse.</summary>
public sealed class ClientCheckerTests
{
    private static readonly Incarnation First = new(1, 1);

    [Fact]
    public void P6_a_repeat_in_another_incarnation_is_marked()
    {
        Assert.Empty(Repeated(isMarked: true));
        Assert.Equal(["no-duplication"], Repeated(isMarked: false));
    }

    [Fact]
    public void P6_nothing_else_is_marked()
    {
        History history = new();
        history.All(checker => checker.OnBroadcast(History.Publisher, history.Begin(2, isRepeat: true)));

        Assert.Equal(["no-duplication"], history.Found);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public void P6_an_incarnation_is_left_when_f_plus_1_call_for_it(int callers, bool isSound)
    {
        History history = new();
        VerifiedBatch batch = history.Broadcast();
        for (int witness = 0; witness < callers; witness++)
        {
            history.Send(witness, History.Publisher, new RefusalFrame(batch.Reference.Slot, RefusalReason.Retired));
        }

        history.All(checker => checker.OnBroadcast(History.Publisher, history.Begin(2)));

        Assert.Equal(isSound ? [] : ["no-duplication"], history.Found);
    }

    [Fact]
    public void P7_a_new_incarnation_is_linked_to_what_nobody_could_hide()
    {
        Assert.Empty(Restarted(certified => Ancestor.Link(First, certified.Sequence, certified.Digest)));
        Assert.Equal(["order"], Restarted(_ => Ancestor.None));
    }

    [Fact]
    public void P7_an_old_journal_does_not_sign_anew_what_was_certified()
    {
        History history = new();
        VerifiedBatch batch = history.Broadcast();
        history.DeliverToAll(batch, history.Settle(batch));
        history.All(checker => checker.OnJournalLost(History.Publisher, isOld: true));
        history.SendBatch(batch);
        Assert.Empty(history.Found);

        VerifiedBatch other = history.Batch(content: "another");
        history.All(checker => checker.OnJournaled(History.Publisher, other.Reference));
        history.SendBatch(other);
        Assert.Equal(["honest-equivocation"], history.Found);
    }

    [Fact]
    public void R3_a_first_run_repeats_nothing()
    {
        History history = new();
        VerifiedBatch batch = history.Broadcast();
        history.Deliver(History.First, batch, history.Settle(batch), isPossibleRepeat: true);

        Assert.Equal(["no-duplication"], history.Found);
    }

    [Theory]
    [InlineData(3, true)]
    [InlineData(4, false)]
    public void R4_a_skip_goes_no_higher_than_f_plus_1_witnesses_say(ulong floor, bool isSound)
    {
        History history = new();
        StreamId stream = history.Batch().Reference.Stream;
        history.Send(1, History.First, new FloorFrame(new Slot(stream, new Sequence(3)), default));
        history.Send(2, History.First, new FloorFrame(new Slot(stream, new Sequence(5)), default));
        history.All(checker => checker.OnSkipped(History.First, new Skipped(stream, Sequence.Zero, new Sequence(floor))));

        Assert.Equal(isSound ? [] : ["totality"], history.Found);
    }

    [Fact]
    public void No_correct_witness_is_said_to_misbehave_and_no_correct_publisher_gives_up()
    {
        History history = new(faulty: 3);
        history.All(checker => checker.OnMisbehaved(History.First, 3, "a lie"));
        Assert.Empty(history.Found);

        history.All(checker => checker.OnMisbehaved(History.First, 2, "the truth"));
        Assert.Equal(["accountability"], history.Found);

        History other = new();
        other.All(checker => checker.OnPublisherEnded(History.Publisher, "its journal is lost"));
        Assert.Equal(["accountability"], other.Found);
    }

    private static IReadOnlyList<string> Repeated(bool isMarked)
    {
        History history = new();
        VerifiedBatch batch = history.Begin(1, content: "once");
        history.All(checker => checker.OnBroadcast(History.Publisher, batch));
        history.All(checker => checker.OnCrashed(History.Publisher));
        history.All(checker => checker.OnStarted(History.Publisher));
        history.All(checker => checker.OnBroadcast(History.Publisher, history.Begin(2, isRepeat: isMarked, content: "once")));
        return history.Found;
    }

    private static IReadOnlyList<string> Restarted(Func<BatchRef, Ancestor> link)
    {
        History history = new();
        VerifiedBatch batch = history.Broadcast();
        history.Settle(batch);
        history.All(checker => checker.OnCrashed(History.Publisher));
        history.All(checker => checker.OnStarted(History.Publisher));
        history.All(checker => checker.OnBroadcast(History.Publisher, history.Begin(2, link(batch.Reference))));
        return history.Found;
    }
}
