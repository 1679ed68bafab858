using System.Diagnostics;
using System.Globalization;
using Bft.Storage;

namespace Bft.Node;

/// <summary>Scrubs the journal at a bounded rate, a round a day; where a round stopped, the next process goes on.</summary>
/// <param name="disk">The journal's.</param>
/// <param name="journal">Open.</param>
/// <param name="store">What it indexes.</param>
/// <param name="core">Learns of damage.</param>
/// <param name="placeFile">Holds the last segment read, and when the round began. Losing it costs a round.</param>
/// <param name="bytesPerSecond">0: no scrub.</param>
/// <param name="interval">From the beginning of a round to that of the next, at least.</param>
internal sealed class ScrubThread(IDisk disk, Journal journal, BatchStore store, CoreMailbox core, string placeFile, long bytesPerSecond, TimeSpan interval)
{
    public Task RunAsync(CancellationToken stopping)
    {
        if (bytesPerSecond <= 0)
        {
            return Task.CompletedTask;
        }

        TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Thread thread = new(RunToEnd) { Name = "scrub", IsBackground = true, Priority = ThreadPriority.Lowest };
        thread.Start();
        return ended.Task;

        void RunToEnd()
        {
            try
            {
                Run(stopping);
                ended.SetResult();
            }
#pragma warning disable CA1031 // A scrub that cannot go on stops nobody; whoever awaits it learns why.
            catch (Exception e)
            {
                ended.SetException(e);
            }
#pragma warning restore CA1031
        }
    }

    private void Run(CancellationToken stopping)
    {
        (long done, DateTimeOffset begun) = ReadPlace();
        using Scrub scrub = new(disk, journal, store, done);
        while (!stopping.IsCancellationRequested)
        {
            if (scrub.Done == 0 && begun + interval - DateTimeOffset.UtcNow is { Ticks: > 0 } rest)
            {
                stopping.WaitHandle.WaitOne(rest < TimeSpan.FromMinutes(1) ? rest : TimeSpan.FromMinutes(1));
                continue;
            }

            begun = scrub.Done == 0 ? DateTimeOffset.UtcNow : begun;
            if (!Round(scrub, begun, stopping))
            {
                return;
            }
        }
    }

    /// <returns>False when it was interrupted.</returns>
    private bool Round(Scrub scrub, DateTimeOffset begun, CancellationToken stopping)
    {
        long started = Stopwatch.GetTimestamp();
        long read = 0;
        long done = scrub.Done;
        while (scrub.Next() is { Bytes: > 0 } step)
        {
            if (step.Fault is not null)
            {
                core.Post(new ScrubbedInput(step));
            }

            if (scrub.Done != done)
            {
                done = scrub.Done;
                WritePlace(done, begun);
            }

            read += step.Bytes;
            TimeSpan ahead = TimeSpan.FromSeconds((double)read / bytesPerSecond) - Stopwatch.GetElapsedTime(started);
            if (stopping.IsCancellationRequested || (ahead > TimeSpan.FromMilliseconds(10) && stopping.WaitHandle.WaitOne(ahead)))
            {
                return false;
            }
        }

        WritePlace(0, begun);
        return true;
    }

    private (long Done, DateTimeOffset Begun) ReadPlace()
    {
        try
        {
            string[] words = File.ReadAllText(placeFile).Split(' ');
            return words.Length == 2
                && long.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out long done)
                && long.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out long begun) && begun <= DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()
                ? (done, DateTimeOffset.FromUnixTimeMilliseconds(begun))
                : default;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }

    private void WritePlace(long done, DateTimeOffset begun)
    {
        try
        {
            File.WriteAllText(placeFile, string.Create(CultureInfo.InvariantCulture, $"{done} {begun.ToUnixTimeMilliseconds()}"));
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            // A full disk: the next process reads some segments again.
        }
    }
}
