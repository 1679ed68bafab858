using System.Security.Cryptography;
using Bft.Bench.Floors;
using Bft.Bench.Measuring;
using Bft.Crypto;

namespace Bft.Bench.Planning;

/// <summary>Times the stages that can be had alone, with the code that the processes run. Unit: seconds.</summary>
internal static class StageTimer
{
    private const int Chunk = 16 * 1024;
    private const int Body = 256 * 1024;
    private const int Small = 4 * 1024;
    private static readonly TimeSpan Each = TimeSpan.FromMilliseconds(150);

    public static double HashPerByte()
    {
        byte[] chunk = RandomNumberGenerator.GetBytes(Chunk);
        return MedianOf(() => Sha256.Hash(chunk)) / Chunk;
    }

    public static (double Sign, double Verify) Signatures()
    {
        using Ed25519Signer signer = new(RandomNumberGenerator.GetBytes(Ed25519Signer.SeedLength));
        byte[] statement = RandomNumberGenerator.GetBytes(Digest.Length * 4); // about as long as those that are signed
        Signature signature = signer.Sign(statement);
        return (MedianOf(() => signer.Sign(statement)), MedianOf(() => Ed25519.Instance.Verify(signer.PublicKey, statement, signature)));
    }

    /// <summary>Of a commit: until it is durable, and what each byte adds.</summary>
    public static (double Flush, double WritePerByte) Journal(string folder)
    {
        using BareJournal journal = new(folder, flushesPerWrite: 1);
        double small = MedianOf(() => journal.Write(new byte[Small]));
        byte[] body = RandomNumberGenerator.GetBytes(Body);
        double large = MedianOf(() => journal.Write(body));
        double perByte = Math.Max(0, large - small) / (Body - Small);
        return (Math.Max(0, small - (Small * perByte)), perByte);
    }

    /// <summary>What is shown at its median was not disturbed.</summary>
    private static double MedianOf(Action work)
    {
        work();
        List<long> times = [];
        long end = Monotonic.Now + (Each.Ticks * TimeSpan.NanosecondsPerTick);
        for (long begin = Monotonic.Now; begin < end;)
        {
            work();
            long now = Monotonic.Now;
            times.Add(now - begin);
            begin = now;
        }

        times.Sort();
        return times[times.Count / 2] / 1e9;
    }
}
