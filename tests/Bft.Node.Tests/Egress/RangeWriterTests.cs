using Bft.Crypto;
using Bft.Node.Tests.Support;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire;
using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Node.Tests.Egress;

public sealed class RangeWriterTests
{
    private static readonly Slot Slot = new(new StreamId(Sha256.Hash([1])), Sequence.Zero);

    [Fact]
    public async Task R6_a_reader_that_takes_nothing_for_so_long_is_left_with_that_reason()
    {
        RangeWriter<ISubscribeReply> writer = new(new Reader<ISubscribeReply>(takes: new TaskCompletionSource().Task), TimeSpan.FromMilliseconds(50));

        RpcException end = await Assert.ThrowsAsync<RpcException>(() => writer.WriteAsync(new HeartbeatFrame()).AsTask().WaitAsync(LocalCluster.Patience));

        Assert.Equal(StatusCode.ResourceExhausted, end.StatusCode);
        Assert.Contains("SLOW_CONSUMER", end.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task R6_a_reader_that_comes_back_too_late_finds_the_reason_as_the_last_frame()
    {
        // It takes the first frame when the time is over, and before so much again is.
        TimeSpan timeout = TimeSpan.FromSeconds(2);
        Reader<ISubscribeReply> reader = new(takes: Task.Delay(1.5 * timeout));
        RangeWriter<ISubscribeReply> writer = new(reader, timeout);

        await Assert.ThrowsAsync<RpcException>(() => writer.WriteAsync(new HeartbeatFrame()).AsTask().WaitAsync(LocalCluster.Patience));

        Assert.Equal(EndReason.SlowConsumer, Assert.IsType<EndFrame>(reader.Frames[^1]).Reason);
    }

    [Fact]
    public async Task A_body_is_given_back_when_it_is_written_and_not_before()
    {
        PooledBuffer[] buffers = [.. Enumerable.Range(0, 3).Select(_ => PooledBuffer.Rent(100))];
        Reader<ISubscribeReply> reader = new(Task.CompletedTask);
        RangeWriter<ISubscribeReply> writer = new(reader, LocalCluster.Patience);

        Assert.True(await writer.WriteAsync(buffers.Select(buffer => new Served<ISubscribeReply>(new BodyFrame(Slot, buffer.Memory, buffer))), default));
        Assert.False(await writer.WriteAsync([], default));

        Assert.Equal(buffers.Length, reader.Frames.Count); // each was there when it was written
        Assert.All(buffers, AssertGivenBack);
    }

    [Fact]
    public async Task W6_the_body_of_a_batch_is_given_back_too()
    {
        PooledBuffer body = PooledBuffer.Rent(100);
        RangeWriter<IFetchReply> writer = new(new Reader<IFetchReply>(Task.CompletedTask), LocalCluster.Patience);

        await writer.WriteAsync([new Served<IFetchReply>(new BatchFrame(new SignedBatch(new byte[1], default, body.Memory, body)))], default);

        AssertGivenBack(body);
    }

    private static void AssertGivenBack(PooledBuffer buffer) => Assert.Throws<ObjectDisposedException>(() => buffer.Memory);

    /// <summary>The other end of a call.</summary>
    /// <param name="takes">Ends when it has read the first frame.</param>
    private sealed class Reader<T>(Task takes) : IServerStreamWriter<T>
        where T : class, IFrame
    {
        public List<T> Frames { get; } = [];

        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(T message)
        {
            Assert.NotEqual(0, ((message as BodyFrame)?.BodyOwner as PooledBuffer)?.Memory.Length);
            Frames.Add(message);
            return Frames.Count == 1 ? takes : Task.CompletedTask;
        }

        public Task WriteAsync(T message, CancellationToken cancellationToken) => WriteAsync(message);
    }
}
