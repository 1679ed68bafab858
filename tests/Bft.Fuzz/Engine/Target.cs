namespace Bft.Fuzz;

/// <summary>A valid sample, or a hand-made edge case.</summary>
internal sealed record Seed(string Name, byte[] Bytes);

/// <summary>One decoder, and what holds for each input that it is given.</summary>
internal abstract class Target(string name)
{
    /// <summary>The name on the command line, and of the folder in the corpus.</summary>
    public string Name => name;

    /// <summary>Longest input that is made. Unit: bytes.</summary>
    public virtual int LengthMax => 16 * 1024;

    /// <summary>Words of a text format, which changing single bytes would never find.</summary>
    public virtual IReadOnlyList<byte[]> Words => [];

    /// <summary>The same input gives the same outcome, and is worth asking twice.</summary>
    public virtual bool IsRepeatable => true;

    /// <summary>What is allocated for an input of this length at most. Unit: bytes.</summary>
    public virtual long AllocatedMax(int length) => (4L * length) + (16 * 1024);

    /// <summary>Processor time that an input of this length takes at most.</summary>
    public virtual TimeSpan TimeMax(int length) => TimeSpan.FromMilliseconds(50 + (50.0 * length / (1024 * 1024)));

    /// <summary>Valid samples and edge cases; the same each time.</summary>
    public abstract IEnumerable<Seed> Seeds();

    /// <summary>Puts lengths and checksums right that would hide what lies behind them. For some of the inputs.</summary>
    public virtual byte[] Repair(byte[] input) => input;

    /// <summary>A change that follows the format; null where there is none.</summary>
    public virtual byte[]? Change(byte[] input, Mutator mutator) => null;

    /// <summary>Decodes and judges. Whatever it throws is a finding.</summary>
    /// <exception cref="OracleException">What was decoded is wrong.</exception>
    public abstract Outcome Run(byte[] input, out long allocated);
}

/// <inheritdoc/>
internal abstract class Target<T>(string name) : Target(name)
{
    public sealed override Outcome Run(byte[] input, out long allocated)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        T decoded = Decode(input);
        allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        return Judge(input, decoded);
    }

    /// <summary>The decoder alone: what it allocates counts.</summary>
    protected abstract T Decode(byte[] input);

    /// <summary>Holds what was decoded against the input, and against other implementations.</summary>
    protected abstract Outcome Judge(byte[] input, T decoded);
}
