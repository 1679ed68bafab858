using System.Net;
using System.Net.Sockets;
using Bft.Bench.Faults;
using Bft.Bench.Measuring;
using Bft.Bench.Running;

namespace Bft.Bench.Tests.Faults;

public sealed class DelayProxyTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Bytes_arrive_whole_in_order_and_as_late_as_asked_each_way()
    {
        using CancellationTokenSource deadline = new(Patience);
        using TcpListener target = new(IPAddress.Loopback, 0);
        target.Start();
        int port = FreePorts.Take(1)[0];
        await using DelayProxy proxy = new(port, ((IPEndPoint)target.LocalEndpoint).Port) { Delay = TimeSpan.FromMilliseconds(150) };
        using TcpClient near = new();
        await near.ConnectAsync(IPAddress.Loopback, port, deadline.Token);
        using Socket far = await target.AcceptSocketAsync(deadline.Token);
        byte[] sent = new byte[1_000_000];
        new Random(3).NextBytes(sent);

        long begin = Monotonic.Now;
        Task sending = near.GetStream().WriteAsync(sent, deadline.Token).AsTask();
        byte[] received = new byte[sent.Length];
        for (int count = 0; count < sent.Length;)
        {
            count += await far.ReceiveAsync(received.AsMemory(count), deadline.Token);
            Assert.True(Monotonic.Now - begin >= 140_000_000); // timers count in milliseconds of their own, and may be early by some
        }

        await sending;
        Assert.Equal(sent, received);

        begin = Monotonic.Now;
        await far.SendAsync(new byte[1], deadline.Token);
        await near.GetStream().ReadExactlyAsync(new byte[1], deadline.Token);
        Assert.True(Monotonic.Now - begin >= 140_000_000);

        // The end comes through as well.
        near.Close();
        Assert.Equal(0, await far.ReceiveAsync(received, deadline.Token));
    }
}
