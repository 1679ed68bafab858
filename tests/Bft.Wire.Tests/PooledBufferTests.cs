using System.Buffers;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Wire.Tests;

public class PooledBufferTests
{
    [Fact]
    public void Is_given_back_once()
    {
        // Two rents after a double return would share their memory.
        PooledBuffer buffer = PooledBuffer.Rent(100_000);
        buffer.Dispose();
        buffer.Dispose();
        using PooledBuffer first = PooledBuffer.Rent(100_000);
        using PooledBuffer second = PooledBuffer.Rent(100_000);

        Assert.False(first.Memory.Span.Overlaps(second.Memory.Span));
        Assert.Throws<ObjectDisposedException>(() => buffer.Memory);
    }

    [Fact]
    public void Has_the_length_asked_for()
    {
        using PooledBuffer buffer = PooledBuffer.Rent(1000);
        using PooledBuffer copy = PooledBuffer.CopyOf(Pieces.Of([1, 2, 3, 4, 5], 2));

        Assert.Equal(1000, buffer.Memory.Length);
        Assert.Equal([1, 2, 3, 4, 5], copy.Memory.ToArray());
    }

    [Fact]
    public void Nothing_of_a_batch_refers_to_the_transports_memory()
    {
        Sample sample = Sample.Named("batch");
        byte[] bytes = sample.Encoded;
        BatchFrame frame = Assert.IsType<BatchFrame>(FrameCodec.Decode<IPublishRequest>(new ReadOnlySequence<byte>(bytes)));
        Array.Clear(bytes);

        Assert.Equal(sample.Encoded, (sample with { Frame = frame }).Encoded);
    }

    [Fact]
    public void A_batch_keeps_its_statement_when_its_body_is_given_back()
    {
        Sample sample = Sample.Named("batch");
        SignedBatch batch = Assert.IsType<BatchFrame>(FrameCodec.Decode<IPublishRequest>(new ReadOnlySequence<byte>(sample.Encoded))).Batch;
        Assert.NotNull(batch.BodyOwner);
        batch.BodyOwner.Dispose();
        using PooledBuffer reused = PooledBuffer.Rent(batch.Body.Length);
        reused.Memory.Span.Clear();

        Assert.Equal(Sample.Bytes(209, 40), batch.Statement.ToArray());
    }

    [Fact]
    public void A_body_costs_no_new_array_once_the_pool_is_warm()
    {
        byte[] bytes = Proto.Field(9, [.. Proto.Field(1, new byte[32]), .. Proto.Field(3, new byte[1 << 20])]);
        ReadOnlySequence<byte> sequence = new(bytes);
        Decode();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Decode();

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1024);

        void Decode() => Assert.IsType<BodyFrame>(FrameCodec.Decode<IFetchReply>(sequence)).BodyOwner!.Dispose();
    }
}
