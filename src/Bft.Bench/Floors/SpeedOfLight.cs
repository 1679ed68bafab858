using System.Security.Cryptography;
using Bft.Bench.Measuring;
using Bft.Crypto;

namespace Bft.Bench.Floors;

/// <summary>How fast this machine does a run's unavoidable work when it does nothing else: hash passes, copies through the loopback, writes, flushes, signatures and verifications, all parties' on all cores.</summary>
/// <remarks>No frames, tables, encryption, queues or waiting for another party. Nothing that keeps the rules reaches it; it is there to see the distance.</remarks>
internal static class SpeedOfLight
{
    /// <summary>Measures it.</summary>
    /// <param name="work">Per batch.</param>
    /// <param name="folder">For the files that are written; deleted with what is in it by whoever owns it.</param>
    /// <param name="warmUp">Not counted.</param>
    /// <param name="time">Counted.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<FloorRate> MeasureAsync(BatchWork work, string folder, TimeSpan warmUp, TimeSpan time, CancellationToken cancellationToken)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        long done = 0;

        // As many as there are journals in the run, so that one works while another waits for its flush.
        Task[] workers = [.. Enumerable.Range(0, work.Writes).Select(index => Task.Factory.StartNew(
            () => Run(work, Path.Combine(folder, $"light-{index}"), () => Interlocked.Increment(ref done), stop.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        Task failed = Task.WhenAny(workers);
        await Task.WhenAny(failed, Task.Delay(warmUp, cancellationToken));
        (long begin, long before, double cpu) = (Monotonic.Now, Interlocked.Read(ref done), FloorRate.CpuSecondsOf());
        await Task.WhenAny(failed, Task.Delay(time, cancellationToken));
        (long end, long after, double cpuAfter) = (Monotonic.Now, Interlocked.Read(ref done), FloorRate.CpuSecondsOf());
        await stop.CancelAsync();
        await Task.WhenAll(workers);
        cancellationToken.ThrowIfCancellationRequested();
        return FloorRate.Of((after - before) * work.Messages, (end - begin) / 1e9, cpuAfter - cpu);
    }

    private static void Run(BatchWork work, string folder, Action onDone, CancellationToken cancellationToken)
    {
        using LoopbackPair loopback = new();
        using BareJournal journal = new(folder, ((work.Witnesses * work.WitnessFlushes) + work.PublisherFlushes) / work.Writes);
        using Ed25519Signer signer = new(RandomNumberGenerator.GetBytes(Ed25519Signer.SeedLength));
        byte[] body = RandomNumberGenerator.GetBytes(work.BodyBytes);
        byte[] statement = RandomNumberGenerator.GetBytes(Digest.Length * 4); // about as long as those that are signed
        Signature signature = signer.Sign(statement);
        (double toSign, double toVerify) = (0, 0);
        while (!cancellationToken.IsCancellationRequested)
        {
            for (int i = 0; i < work.HashPasses; i++)
            {
                Sha256.Hash(body);
            }

            for (int i = 0; i < work.Crossings; i++)
            {
                loopback.Cross(body);
            }

            for (int i = 0; i < work.Writes; i++)
            {
                journal.Write(body);
            }

            for (toSign += work.Signatures; toSign >= 1; toSign--)
            {
                signature = signer.Sign(statement);
            }

            for (toVerify += work.Verifications; toVerify >= 1; toVerify--)
            {
                Ed25519.Instance.Verify(signer.PublicKey, statement, signature);
            }

            onDone();
        }
    }
}
