namespace Bft.Cluster.Tests.Support;

/// <summary>Waits for what other processes do.</summary>
internal static class Wait
{
    /// <summary>Until it is so; fails with the words when it is not for <see cref="ProcessCluster.Patience"/>.</summary>
    public static async Task UntilAsync(Func<bool> isSo, string words, Func<string>? more = null)
    {
        CancellationToken deadline = ProcessCluster.Deadline;
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(5));
        while (!isSo())
        {
            if (deadline.IsCancellationRequested)
            {
                Assert.Fail($"Not within {ProcessCluster.Patience.TotalSeconds:0} s: {words}. {more?.Invoke()}");
            }

            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    /// <summary>The same for what has to be asked for.</summary>
    public static async Task UntilAsync(Func<Task<bool>> isSo, Func<string> words)
    {
        CancellationToken deadline = ProcessCluster.Deadline;
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(100));
        while (!await isSo())
        {
            Assert.False(deadline.IsCancellationRequested, $"Not within {ProcessCluster.Patience.TotalSeconds:0} s: {words()}.");
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    /// <summary>Time passes in which nothing is to happen, or in which what happens is chance.</summary>
    public static async Task PassAsync(TimeSpan time)
    {
        using PeriodicTimer timer = new(time);
        await timer.WaitForNextTickAsync(CancellationToken.None);
    }
}
