namespace Bft.Wire.Tests.Frames;

/// <summary>The bytes of each kind of frame, frozen: a change of the contract shows here, and other implementations may test against the file.</summary>
public class FrozenBytesTests
{
    private static readonly Dictionary<string, string> Frozen = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Vectors", "frames.txt"))
        .Where(line => line.Length > 0 && line[0] != '#')
        .Select(line => line.Split(' '))
        .ToDictionary(parts => parts[0], parts => parts[1], StringComparer.Ordinal);

    [Theory]
    [MemberData(nameof(Sample.Names), MemberType = typeof(Sample))]
    public void Bytes_stay_as_published(string name) => Assert.Equal(Frozen[name], Convert.ToHexStringLower(Sample.Named(name).Encoded));

    [Fact]
    public void Every_vector_has_a_sample() => Assert.Equal(Frozen.Keys.Order(StringComparer.Ordinal), Sample.All.Select(sample => sample.Name).Order(StringComparer.Ordinal));
}
