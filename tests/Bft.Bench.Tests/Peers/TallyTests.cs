using Bft.Bench.Load;
using Bft.Bench.Peers;

namespace Bft.Bench.Tests.Peers;

public sealed class TallyTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Payloads _payloads = new(1, 100);
    private readonly Tally _tally;

    public TallyTests() => _tally = new Tally(_payloads);

    [Fact]
    public async Task A_sender_with_a_full_window_waits_until_an_eighth_of_it_is_free()
    {
        Send(80);
        Assert.True(_tally.HasRoom(81));
        Assert.False(_tally.HasRoom(80));
        Task waiting = Task.Run(() => _tally.WaitForRoom(80, CancellationToken.None));

        _tally.OnAcked(9);
        Assert.NotSame(waiting, await Task.WhenAny(waiting, Task.Delay(200)));
        _tally.OnAcked(10);

        await waiting.WaitAsync(Patience);
        Assert.Equal((80, 10), (_tally.Sent, _tally.Acked));
    }

    [Fact]
    public async Task A_window_of_one_waits_for_the_ack()
    {
        Send(1);
        Task waiting = Task.Run(() => _tally.WaitForRoom(1, CancellationToken.None));
        Assert.NotSame(waiting, await Task.WhenAny(waiting, Task.Delay(100)));

        _tally.OnAcked(1);

        await waiting.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_failure_or_the_end_wakes_a_sender()
    {
        Send(1);
        using CancellationTokenSource end = new();
        Task waiting = Task.Run(() => _tally.WaitForRoom(1, end.Token));
        await end.CancelAsync();
        await waiting.WaitAsync(Patience);

        waiting = Task.Run(() => _tally.WaitForRoom(1, CancellationToken.None));
        _tally.Fail(new PeerFailedException("gone"));
        await waiting.WaitAsync(Patience);
    }

    [Theory]
    [InlineData(4)] // more than was sent
    [InlineData(1)] // fewer than before
    public async Task An_ack_that_cannot_be_is_a_failure(long count)
    {
        Send(3);
        _tally.OnAcked(2);

        _tally.OnAcked(count);

        await Assert.ThrowsAsync<PeerFailedException>(() => _tally.Failed.WaitAsync(Patience));
        Assert.Equal(2, _tally.Acked);
    }

    [Theory]
    [InlineData(1, false, "Message 1 came where 0 belongs")] // one is missing
    [InlineData(0, true, "is not what was sent")]
    public async Task A_delivery_is_checked(long number, bool isChanged, string problem)
    {
        byte[] message = Message(number);
        message[^1] ^= (byte)(isChanged ? 1 : 0);

        _tally.OnDelivered(message);

        PeerFailedException error = await Assert.ThrowsAsync<PeerFailedException>(() => _tally.Failed.WaitAsync(Patience));
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
        Assert.Equal(0, _tally.Delivered);
    }

    [Fact]
    public async Task A_message_that_comes_twice_is_a_failure()
    {
        _tally.OnDelivered(Message(0));
        _tally.OnDelivered(Message(1));
        Assert.Equal(2, _tally.Delivered);

        _tally.OnDelivered(Message(1));

        await Assert.ThrowsAsync<PeerFailedException>(() => _tally.Failed.WaitAsync(Patience));
    }

    [Fact]
    public void Latencies_count_each_message_once()
    {
        LatencyProbe probe = new(0, 10, _ => 0);
        _tally.Probe = probe;
        Send(3);
        _tally.OnAcked(2);
        _tally.OnAcked(2);
        _tally.OnAcked(3);
        _tally.OnDelivered(Message(0));

        Assert.Equal((3, 1), (probe.Certified.Count, probe.Delivered.Count));
    }

    private byte[] Message(long number)
    {
        byte[] message = new byte[_payloads.Size];
        _payloads.Write(number, message);
        return message;
    }

    private void Send(int count)
    {
        for (int i = 0; i < count; i++)
        {
            _tally.OnSending();
        }
    }
}
