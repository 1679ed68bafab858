using System.Globalization;
using Bft.Bench.Measuring;
using Bft.Bench.Peers;
using Bft.Bench.Running;

namespace Bft.Bench.Tests.Peers;

public sealed class ServerProcessTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly Dictionary<string, string> NoMore = [];

    private readonly string _log = Path.GetTempFileName();

    public void Dispose() => File.Delete(_log);

    [Fact]
    public async Task It_ends_with_all_that_it_started()
    {
        using CancellationTokenSource deadline = new(Patience);
        ServerProcess server = ServerProcess.Start(ServerProcess.Find("sh")!, ["-c", "sleep 3600 & echo $!; wait"], NoMore, _log);
        int sleeper;
        while (!int.TryParse(await File.ReadAllTextAsync(_log, deadline.Token), CultureInfo.InvariantCulture, out sleeper))
        {
            await Task.Delay(10, deadline.Token);
        }

        Assert.Contains(sleeper, server.Ids());
        Assert.NotNull(ProcessUsage.Of(sleeper));

        await server.DisposeAsync();

        while (ProcessUsage.Of(sleeper) is not null)
        {
            await Task.Delay(10, deadline.Token);
        }
    }

    [Fact]
    public async Task One_that_ends_before_it_listens_is_told_with_what_it_said()
    {
        await using ServerProcess server = ServerProcess.Start(ServerProcess.Find("sh")!, ["-c", "echo no luck today"], NoMore, _log);

        PeerFailedException error = await Assert.ThrowsAsync<PeerFailedException>(() => server.WhenListeningAsync(FreePorts.Take(1)[0], Patience, CancellationToken.None));

        Assert.Contains("ended: no luck today", error.Message, StringComparison.Ordinal);
    }
}
