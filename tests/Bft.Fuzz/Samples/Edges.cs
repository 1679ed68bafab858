using System.Buffers.Binary;

namespace Bft.Fuzz.Samples;

/// <summary>Edge cases that every format has, made of a valid sample.</summary>
internal static class Edges
{
    /// <summary>Nothing, too little, too much, and the largest number at each place where one may stand.</summary>
    /// <param name="name">Of the sample.</param>
    /// <param name="sample">Valid.</param>
    /// <param name="numbers">Where a length or a count of four bytes stands.</param>
    public static IEnumerable<Seed> Of(string name, byte[] sample, params int[] numbers)
    {
        yield return new Seed(name, sample);
        yield return new Seed($"{name}-and-a-byte", [.. sample, 0]);
        yield return new Seed($"{name}-cut", sample[..^1]);
        yield return new Seed($"{name}-half", sample[..(sample.Length / 2)]);
        foreach (int at in numbers)
        {
            foreach (uint value in new uint[] { 0, int.MaxValue, uint.MaxValue })
            {
                byte[] changed = [.. sample];
                BinaryPrimitives.WriteUInt32LittleEndian(changed.AsSpan(at), value);
                yield return new Seed($"{name}-{value:x}-at-{at}", changed);
            }
        }
    }
}
