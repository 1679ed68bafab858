using Bft.Protocol;
using Bft.Protocol.Bodies;

namespace Bft.Client.Tests.Publishing;

public sealed class BatchFillerTests
{
    private static readonly PublisherOptions Options = new() { BatchBytesTarget = 4096, WaitingBatchesMax = 2 };

    [Fact]
    public void P4_full_batches_wait_in_order_and_then_nothing_more_is_taken()
    {
        BatchFiller filler = new(ClusterLimits.Default, Options, new PublishMemory(1 << 30).Join());
        Message message = new(new byte[1000]);
        int accepted = 0;
        while (filler.TryAdd(message, false, out _) != AddOutcome.NoRoom)
        {
            accepted++;
        }

        Task freed = filler.RoomFreed;
        Assert.False(freed.IsCompleted);
        Assert.True(filler.TryTake(false, _ => true, out FilledBatch first));
        Assert.True(freed.IsCompleted);
        Assert.True(filler.TryTake(false, _ => true, out FilledBatch second));
        Assert.False(filler.TryTake(true, _ => true, out _));
        Assert.Equal(accepted, first.Builder.Count + second.Builder.Count);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(1000)]
    public void A_full_batch_is_not_above_its_target(int bytes)
    {
        BatchFiller filler = new(ClusterLimits.Default, Options, new PublishMemory(1 << 30).Join());
        while (filler.TryAdd(new Message(new byte[bytes]), false, out _) != AddOutcome.NoRoom)
        {
        }

        Assert.True(filler.TryTake(false, _ => true, out FilledBatch full));
        Assert.InRange(full.Builder.BodyLength, Options.BatchBytesTarget / 2, Options.BatchBytesTarget);
    }

    [Fact]
    public void A_batch_that_is_not_full_is_taken_only_when_it_may()
    {
        BatchFiller filler = new(ClusterLimits.Default, Options, new PublishMemory(1 << 30).Join());
        Assert.Equal(AddOutcome.AddedFirst, filler.TryAdd(new Message("x"u8.ToArray()), false, out _));
        Assert.Equal(AddOutcome.Added, filler.TryAdd(new Message("y"u8.ToArray()), false, out PublishTicket ticket));

        Assert.Equal(1, ticket.Position);
        Assert.False(filler.TryTake(false, _ => true, out _));
        Assert.False(filler.TryTake(true, _ => false, out _));
        Assert.True(filler.TryTake(true, _ => true, out FilledBatch taken));
        Assert.Equal(2, taken.Builder.Count);
    }

    [Fact]
    public void P4_a_message_that_only_the_next_batch_could_hold_begins_none_beyond_the_bound()
    {
        BatchFiller filler = new(ClusterLimits.Default, Options with { BatchBytesTarget = int.MaxValue }, new PublishMemory(1 << 30).Join());
        Message large = new(new byte[(ClusterLimits.Default.MessageBytesMax / 2) + 4096]);
        int accepted = 0;
        while (accepted < 100 && filler.TryAdd(large, false, out _) != AddOutcome.NoRoom)
        {
            accepted++;
        }

        Assert.True(filler.TryTake(true, _ => true, out FilledBatch first));
        Assert.True(filler.TryTake(true, _ => true, out FilledBatch second));
        Assert.False(filler.TryTake(true, _ => true, out _));
        Assert.Equal(accepted, first.Builder.Count + second.Builder.Count);
    }

    [Fact]
    public void P5_the_body_is_kept_when_one_of_its_messages_wants_a_receipt()
    {
        BatchFiller filler = new(ClusterLimits.Default, Options, new PublishMemory(1 << 30).Join());
        filler.TryAdd(new Message("x"u8.ToArray()), keepBody: true, out _);
        filler.TryAdd(new Message("y"u8.ToArray()), keepBody: false, out _);

        Assert.True(filler.TryTake(true, _ => true, out FilledBatch taken));
        Assert.True(taken.Pending.IsBodyKept);
    }

    [Fact]
    public void A_message_that_no_batch_can_hold_is_the_callers_mistake()
    {
        BatchFiller filler = new(ClusterLimits.Default, Options, new PublishMemory(1 << 30).Join());

        Assert.Throws<ArgumentException>(() => filler.TryAdd(new Message(new byte[ClusterLimits.Default.MessageBytesMax]), false, out _));
        Assert.Throws<ArgumentException>(() => filler.TryAdd(new Message(default) { Subject = new string('x', 256) }, false, out _));
    }

    [Fact]
    public async Task Closing_fails_what_was_not_taken_and_whoever_comes_later()
    {
        BatchFiller filler = new(ClusterLimits.Default, Options, new PublishMemory(1 << 30).Join());
        filler.TryAdd(new Message("x"u8.ToArray()), false, out PublishTicket ticket);
        InvalidOperationException reason = new("over");
        filler.Close(reason);

        Assert.Same(reason, await Assert.ThrowsAsync<InvalidOperationException>(() => ticket.Certified));
        Assert.Same(reason, Assert.Throws<InvalidOperationException>(() => filler.TryAdd(new Message("y"u8.ToArray()), false, out _)));
    }
}
