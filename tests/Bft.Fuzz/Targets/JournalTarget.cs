using Bft.Fuzz.Samples;
using Bft.Storage;

namespace Bft.Fuzz.Targets;

/// <summary>A segment of a journal that a start reads: recovered, or refused with the reason. What was recovered is recovered again as the same.</summary>
/// <remarks>A file of our own, under checksums: they are put right in many of the inputs, as a disk would never do and an attacker with access to it could.</remarks>
internal abstract class JournalTarget(string name) : Target<(MemoryDisk Disk, string Summary, bool IsOpen)>(name)
{
    public const string File = "0000000000000001.journal";

    private const int RecordsAt = 12;

    public static JournalId Id { get; } = new(7);

    public override int LengthMax => 64 * 1024;

    /// <summary>A start reads in pieces of 1 MiB, keeps buffers for two blocks, and writes a tail in doubt anew. Our own file: its cost may be a few times its length, and no more.</summary>
    public override long AllocatedMax(int length) => (32L * length) + (6 << 20);

    public override TimeSpan TimeMax(int length) => TimeSpan.FromMilliseconds(200);

    public sealed override byte[] Repair(byte[] input) => Blocks.Repaired(input);

    public sealed override IEnumerable<Seed> Seeds()
    {
        foreach ((string name, Action<IDisk> write) in Samples())
        {
            MemoryDisk disk = new();
            write(disk);
            byte[] file = disk[File];
            bool isFirst = name.StartsWith('f');
            foreach (Seed seed in Edges.Of(name, file, isFirst ? [RecordsAt] : []).Take(isFirst ? int.MaxValue : 1))
            {
                yield return seed;
                byte[] repaired = Blocks.Repaired(seed.Bytes);
                if (!repaired.AsSpan().SequenceEqual(seed.Bytes))
                {
                    yield return new Seed($"{seed.Name}-repaired", repaired);
                }
            }
        }

        yield return new Seed("empty", []);
        yield return new Seed("zeros", new byte[BlockHeader.Alignment]);
    }

    /// <summary>What is written by the code that is read from here.</summary>
    protected abstract IEnumerable<(string Name, Action<IDisk> Write)> Samples();

    /// <summary>Opens, and says what is there.</summary>
    protected abstract string Open(IDisk disk);

    protected sealed override (MemoryDisk Disk, string Summary, bool IsOpen) Decode(byte[] input)
    {
        MemoryDisk disk = new() { [File] = [.. input] };
        return TryOpen(disk);
    }

    protected sealed override Outcome Judge(byte[] input, (MemoryDisk Disk, string Summary, bool IsOpen) decoded)
    {
        if (!decoded.IsOpen)
        {
            return Outcome.Rejected(decoded.Summary);
        }

        (_, string again, bool isOpen) = TryOpen(decoded.Disk);
        OracleException.Require(isOpen, $"What was recovered is refused at the next start: {again}");
        OracleException.Require(again == decoded.Summary, $"What was recovered is something else at the next start:\n{decoded.Summary}\n{again}");
        return Outcome.Accepted.With(decoded.Summary);
    }

    private (MemoryDisk Disk, string Summary, bool IsOpen) TryOpen(MemoryDisk disk)
    {
        try
        {
            return (disk, Open(disk), true);
        }
        catch (Exception refusal) when (refusal is JournalDamageException or JournalMismatchException or ForeignJournalException or JournalPoisonedException)
        {
            // Without the numbers, which would make each refusal a new one.
            return (disk, refusal.GetType().Name + string.Concat(refusal.Message.Where(character => !char.IsAsciiHexDigit(character))), false);
        }
    }
}
