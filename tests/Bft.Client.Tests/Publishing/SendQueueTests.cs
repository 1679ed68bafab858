using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Client.Tests.Publishing;

public sealed class SendQueueTests
{
    private static readonly StreamId Stream = new(Sha256.Hash([1]));

    [Fact]
    public async Task Covered_batches_are_dropped_beyond_the_bound_and_their_memory_is_given_back()
    {
        SendQueue queue = new(coveredBytesMax: 100, PublishMemory.Shared.Join());
        queue.Open();
        SharedBody[] bodies = [.. Enumerable.Range(0, 4).Select(_ => SharedBody.Rent(60))];
        for (int i = 0; i < bodies.Length; i++)
        {
            queue.Add(FrameOf(bodies[i]), SlotOf(i), slot => slot.Sequence.Value < 2);
            bodies[i].Dispose();
        }

        Assert.Throws<ObjectDisposedException>(() => bodies[0].Memory);
        Assert.Throws<ObjectDisposedException>(() => bodies[1].Memory);
        Assert.Equal(60, (await TakeAsync(queue)).Body!.Memory.Length);
        Assert.Equal(60, (await TakeAsync(queue)).Body!.Memory.Length);
    }

    [Fact]
    public async Task P3_a_batch_that_waits_already_is_not_added_twice()
    {
        SendQueue queue = new(coveredBytesMax: 1000, PublishMemory.Shared.Join());
        queue.Open();
        SharedBody body = SharedBody.Rent(1);
        queue.Add(FrameOf(body), SlotOf(0), _ => false);
        queue.Add(FrameOf(body), SlotOf(0), _ => false);
        queue.Add(new InquiryFrame(new Topic("marks the end")));

        Assert.IsType<BatchFrame>((await TakeAsync(queue)).Frame);
        Assert.IsType<InquiryFrame>((await TakeAsync(queue)).Frame);
    }

    [Fact]
    public void A_queue_without_a_session_holds_nothing()
    {
        SendQueue queue = new(coveredBytesMax: 1000, PublishMemory.Shared.Join());
        SharedBody before = SharedBody.Rent(1);
        SharedBody during = SharedBody.Rent(1);
        queue.Add(FrameOf(before), SlotOf(0), _ => false);
        queue.Open();
        queue.Add(FrameOf(during), SlotOf(1), _ => false);
        queue.Close();
        before.Dispose();
        during.Dispose();

        Assert.Throws<ObjectDisposedException>(() => before.Memory);
        Assert.Throws<ObjectDisposedException>(() => during.Memory);
    }

    [Fact]
    public async Task What_left_counts_no_more()
    {
        SendQueue queue = new(coveredBytesMax: 100, PublishMemory.Shared.Join());
        queue.Open();
        for (int i = 0; i < 4; i++)
        {
            SharedBody body = SharedBody.Rent(60);
            queue.Add(FrameOf(body), SlotOf(i), _ => true);
            queue.Add(new InquiryFrame(new Topic("marks the end")));
            Assert.IsType<BatchFrame>((await TakeAsync(queue)).Frame);
            Assert.IsType<InquiryFrame>((await TakeAsync(queue)).Frame);
        }
    }

    [Fact]
    public async Task Frames_without_a_body_are_bounded_and_a_new_session_begins_with_none()
    {
        const int OthersMax = 1024;
        SendQueue queue = new(coveredBytesMax: 100, PublishMemory.Shared.Join());
        for (int session = 0; session < 2; session++)
        {
            queue.Open();
            for (int i = 0; i <= OthersMax; i++)
            {
                queue.Add(new InquiryFrame(new Topic($"{i}")));
            }

            Assert.Equal("0", Assert.IsType<InquiryFrame>((await TakeAsync(queue)).Frame).Topic.Name);
            queue.Add(new InquiryFrame(new Topic("again")));
            for (int i = 1; i < OthersMax; i++)
            {
                await TakeAsync(queue);
            }

            Assert.Equal("again", Assert.IsType<InquiryFrame>((await TakeAsync(queue)).Frame).Topic.Name);
            queue.Add(new InquiryFrame(new Topic("left behind")));
            for (int i = 0; session == 0 && i <= OthersMax; i++)
            {
                queue.Add(new InquiryFrame(new Topic("left behind")));
            }

            queue.Close();
        }
    }

    private static Task<(IPublishRequest Frame, SharedBody? Body)> TakeAsync(SendQueue queue) => queue.TakeAsync(default).AsTask().WaitAsync(TimeSpan.FromSeconds(30));

    private static Slot SlotOf(int sequence) => new(Stream, new Sequence((ulong)sequence));

    private static BatchFrame FrameOf(SharedBody body) => new(new SignedBatch(default, default, body.Memory, body));
}
