using System.Diagnostics;

namespace Bft.Cli.Tests.Support;

/// <summary>Waits for something that happens soon, and fails the test when it does not.</summary>
public static class Deadline
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    public static async Task UntilAsync(Func<bool> isSo, Func<string> otherwise)
    {
        long begun = Stopwatch.GetTimestamp();
        while (!isSo())
        {
            Assert.True(Stopwatch.GetElapsedTime(begun) < Limit, $"Not within {Limit.TotalSeconds} s: {otherwise()}");
            await Task.Delay(Poll);
        }
    }
}
