using System.Diagnostics;

namespace Bft.Storage.Tests;

public sealed class DirectoryLockTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_directory_is_held_once_until_it_is_given_back()
    {
        string data = _directory["data/journal"];
        using (DirectoryLock? held = DirectoryLock.TryTake(data))
        {
            Assert.NotNull(held);
            Assert.Null(DirectoryLock.TryTake(data));
        }

        using DirectoryLock? again = DirectoryLock.TryTake(data);
        Assert.NotNull(again);
    }

    [Fact]
    public async Task A_process_that_is_killed_gives_its_directory_back()
    {
        using Process holder = Process.Start(new ProcessStartInfo("flock", ["-n", _directory["lock"], "sh", "-c", "echo held; exec sleep 60"]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        Assert.Equal("held", await holder.StandardOutput.ReadLineAsync());
        Assert.Null(DirectoryLock.TryTake(_directory.Root));

        holder.Kill(entireProcessTree: true);
        await holder.WaitForExitAsync();

        using DirectoryLock? again = await Eventually(() => DirectoryLock.TryTake(_directory.Root));
        Assert.NotNull(again);
    }

    [Fact]
    public void A_lock_file_that_is_a_symbolic_link_is_refused()
    {
        File.CreateSymbolicLink(_directory["lock"], _directory["elsewhere"]);

        Assert.Equal(40, Assert.Throws<DiskException>(() => DirectoryLock.TryTake(_directory.Root)).Errno);
    }

    private static async Task<T?> Eventually<T>(Func<T?> attempt)
        where T : class
    {
        Stopwatch clock = Stopwatch.StartNew();
        T? result = attempt();
        while (result is null && clock.Elapsed < TimeSpan.FromSeconds(10))
        {
            await Task.Yield();
            result = attempt();
        }

        return result;
    }
}
