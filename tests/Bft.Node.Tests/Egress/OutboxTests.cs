using System.Threading.Channels;
using Bft.Crypto;
using Bft.Node.Tests.Support;
using Bft.Protocol.Model;
using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Node.Tests.Egress;

public sealed class OutboxTests
{
    private static readonly StreamId Stream = new(Sha256.Hash("a stream"u8));
    private static readonly StreamId Other = new(Sha256.Hash("another"u8));
    private readonly Outbox<IExchangeRequest> _outbox = new(bytesMax: 100);

    [Fact]
    public void A_tip_for_an_outbox_that_overflowed_is_dropped_again_and_again()
    {
        _outbox.PostTip(Stream, Tip(), bytes: 101);
        Assert.True(_outbox.Over.IsCancellationRequested);

        // The core's thread posts these until the call has ended: nothing may be thrown there.
        _outbox.PostTip(Stream, Tip(), bytes: 1);
        _outbox.PostTip(Stream, Tip(), bytes: 1);
        _outbox.PostTip(Other, Tip(), bytes: 1);
        _outbox.PostTip(Other, Tip(), bytes: 1);
    }

    [Fact]
    public void A_tip_for_a_closed_outbox_is_dropped_again_and_again()
    {
        _outbox.Close();
        _outbox.PostTip(Stream, Tip(), bytes: 1);
        _outbox.PostTip(Stream, Tip(), bytes: 1);
        Assert.False(_outbox.Over.IsCancellationRequested);
    }

    [Fact]
    public void Only_the_last_tip_of_a_stream_waits_and_counts_once()
    {
        for (int i = 0; i < 100; i++)
        {
            _outbox.PostTip(Stream, Tip(), bytes: 60);
        }

        Assert.False(_outbox.Over.IsCancellationRequested);
        _outbox.PostTip(Other, Tip(), bytes: 60);
        Assert.True(_outbox.Over.IsCancellationRequested);
    }

    [Fact]
    public async Task The_last_tip_is_written_and_what_was_written_counts_no_more()
    {
        Written written = new();
        TipFrame last = Tip();
        _outbox.PostTip(Stream, Tip(), bytes: 60);
        _outbox.PostTip(Stream, last, bytes: 60);
        Task writing = _outbox.WriteAllAsync(written, new HeartbeatFrame(), TimeSpan.FromHours(1));
        Assert.Same(last, await written.NextAsync());

        _outbox.PostTip(Stream, last = Tip(), bytes: 60);
        Assert.Same(last, await written.NextAsync());
        Assert.False(_outbox.Over.IsCancellationRequested);

        _outbox.Close();
        await writing.WaitAsync(LocalCluster.Patience);
    }

    [Fact]
    public async Task A_heartbeat_is_written_when_nothing_comes_and_closing_ends_the_wait()
    {
        Written written = new();
        HeartbeatFrame heartbeat = new();
        Task beating = _outbox.WriteAllAsync(written, heartbeat, TimeSpan.FromMilliseconds(1));
        Assert.Same(heartbeat, await written.NextAsync());
        _outbox.Close();
        await beating.WaitAsync(LocalCluster.Patience);

        Outbox<IExchangeRequest> silent = new(bytesMax: 100);
        Task waiting = silent.WriteAllAsync(written, heartbeat, TimeSpan.FromHours(1));
        Assert.False(waiting.IsCompleted);
        silent.Close();
        await waiting.WaitAsync(LocalCluster.Patience);
    }

    [Fact]
    public async Task An_overflow_ends_a_write_that_makes_no_progress()
    {
        _outbox.Post(Tip(), bytes: 100);
        Task writing = _outbox.WriteAllAsync(new Written(isStuck: true), new HeartbeatFrame(), TimeSpan.FromHours(1));
        Assert.False(writing.IsCompleted);

        _outbox.Post(Tip(), bytes: 101);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing.WaitAsync(LocalCluster.Patience));
    }

    private static TipFrame Tip() => new(new byte[10]);

    private sealed class Written(bool isStuck = false) : IAsyncStreamWriter<IExchangeRequest>
    {
        private readonly Channel<IExchangeRequest> _frames = Channel.CreateUnbounded<IExchangeRequest>();

        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(IExchangeRequest message) => isStuck ? new TaskCompletionSource().Task : _frames.Writer.WriteAsync(message).AsTask();

        public Task WriteAsync(IExchangeRequest message, CancellationToken cancellationToken) => WriteAsync(message);

        public Task<IExchangeRequest> NextAsync() => _frames.Reader.ReadAsync().AsTask().WaitAsync(LocalCluster.Patience);
    }
}
