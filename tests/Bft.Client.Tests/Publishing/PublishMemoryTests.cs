using Bft.Protocol;
using Bft.Protocol.Bodies;

namespace Bft.Client.Tests.Publishing;

public sealed class PublishMemoryTests
{
    private const int MiB = 1024 * 1024;
    private const int MessageBytes = 1000;
    private const int Step = 8 * 1024; // by which one may be above what it may hold: 4 KiB and a message
    private static readonly PublisherOptions Roomy = new() { WaitingBatchesMax = 64 };

    private readonly PublishMemory _memory = new(MiB);

    [Fact]
    public void P4_one_that_is_alone_may_hold_all_and_no_more()
    {
        Fill(NewFiller());

        Assert.InRange(_memory.Bytes, MiB, MiB + Step);
    }

    [Fact]
    public void P4_who_comes_late_gets_what_lets_it_go_on_at_once_and_its_share_as_others_are_done()
    {
        BatchFiller first = NewFiller();
        Fill(first);
        BatchFiller second = NewFiller();
        Fill(second);
        Assert.InRange(_memory.Bytes, MiB, MiB + PublishMemory.LeastBytes + (2 * Step));

        Task freed = first.RoomFreed;
        Assert.False(freed.IsCompleted);
        Finish(first);
        Assert.True(freed.IsCompleted);
        Fill(second);
        Fill(first);

        long both = _memory.Bytes;
        Assert.InRange(both, MiB / 2, MiB + PublishMemory.LeastBytes + (2 * Step));
        Finish(first);
        Assert.InRange(both - _memory.Bytes, PublishMemory.LeastBytes, MiB);
        Finish(second);
        Assert.Equal(0, _memory.Bytes);
    }

    [Fact]
    public void A_small_share_makes_batches_of_half_of_it_and_one_in_flight()
    {
        BatchFiller[] fillers = [.. Enumerable.Range(0, 8).Select(_ => NewFiller())];
        Array.ForEach(fillers, filler => Assert.Equal(4, filler.PipelineDepth));
        for (int i = 0; i < 70; i++)
        {
            Array.ForEach(fillers, filler => filler.TryAdd(new Message(new byte[MessageBytes]), false, out _));
        }

        BatchFiller one = fillers[0];
        Assert.Equal(1, one.PipelineDepth);
        Assert.True(one.TryTake(evenIfNotFull: false, _ => true, out FilledBatch full));
        Assert.InRange(full.Builder.BodyLength, MiB / 32, MiB / 16);
    }

    [Fact]
    public void What_fails_gives_its_memory_back()
    {
        BatchFiller filler = NewFiller();
        Fill(filler);
        Assert.True(filler.TryTake(false, _ => true, out FilledBatch taken));

        filler.Close(new InvalidOperationException());
        taken.Pending.Fail(new InvalidOperationException());
        taken.Pending.Fail(new InvalidOperationException());

        Assert.Equal(0, _memory.Bytes);
    }

    [Fact]
    public void A_memory_that_holds_no_batch_is_the_callers_mistake() => Assert.Throws<ArgumentOutOfRangeException>(() => new PublishMemory(MiB - 1));

    [Fact]
    public async Task Turns_at_dialling_are_counted_for_each_witness_alone()
    {
        Uri one = new($"https://witness-{Guid.NewGuid()}");
        Uri other = new($"https://witness-{Guid.NewGuid()}");
        List<DialTurns.Turn> turns = [];
        for (int i = 0; i < 32; i++)
        {
            turns.Add(await DialTurns.TakeAsync(one, default).WaitAsync(TimeSpan.FromSeconds(30)));
        }

        Task<DialTurns.Turn> next = DialTurns.TakeAsync(one, default);
        Assert.False(next.IsCompleted);
        (await DialTurns.TakeAsync(other, default).WaitAsync(TimeSpan.FromSeconds(30))).Dispose();

        turns[0].Dispose();
        await next.WaitAsync(TimeSpan.FromSeconds(30));
    }

    private static void Fill(BatchFiller filler)
    {
        while (filler.TryAdd(new Message(new byte[MessageBytes]), false, out _) != AddOutcome.NoRoom)
        {
        }
    }

    /// <summary>All that it holds is over.</summary>
    private static void Finish(BatchFiller filler)
    {
        while (filler.TryTake(evenIfNotFull: true, _ => true, out FilledBatch taken))
        {
            taken.Pending.Fail(new InvalidOperationException());
        }
    }

    private BatchFiller NewFiller() => new(ClusterLimits.Default, Roomy, _memory.Join());
}
