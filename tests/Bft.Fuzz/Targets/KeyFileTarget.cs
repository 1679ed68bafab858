using System.Text;
using Bft.Fuzz.Samples;
using Bft.Storage;

namespace Bft.Fuzz.Targets;

/// <summary>A seed's file. Its content is a secret, so that no refusal may repeat it.</summary>
internal sealed class KeyFileTarget() : Target<(byte[]? Seed, string? Refusal)>("key-file")
{
    private readonly string _path = Path.Combine(Directory.CreateTempSubdirectory("bft-fuzz-").FullName, "seed.key");

    public override int LengthMax => 70 * 1024;

    public override IEnumerable<Seed> Seeds()
    {
        byte[] sample = Encoding.ASCII.GetBytes("bft-ed25519-seed-v1 " + string.Concat(Enumerable.Range(0, 32).Select(value => value.ToString("x2", null))) + "\n");
        return Edges.Of("seed", sample)
            .Append(new Seed("upper-case", Encoding.ASCII.GetBytes(Encoding.ASCII.GetString(sample).Replace("1f", "1F", StringComparison.Ordinal))))
            .Append(new Seed("two-line-ends", [.. sample, (byte)'\n']))
            .Append(new Seed("empty", []));
    }

    protected override (byte[]? Seed, string? Refusal) Decode(byte[] input)
    {
        // Write protected already when it is created.
        using (FileStream file = new(_path, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 0, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
        {
            file.Write(input);
        }

        try
        {
            using SecretBytes seed = KeyFile.Load(_path);
            return (seed.Span.ToArray(), null);
        }
        catch (KeyFileException refusal)
        {
            return (null, refusal.Message);
        }
    }

    protected override Outcome Judge(byte[] input, (byte[]? Seed, string? Refusal) decoded)
    {
        if (decoded.Seed is { } seed)
        {
            string line = $"bft-ed25519-seed-v1 {Convert.ToHexStringLower(seed)}";
            OracleException.Require(string.Equals(line, Encoding.ASCII.GetString(input).TrimEnd('\n'), StringComparison.OrdinalIgnoreCase), "Another seed than the file's.");
            return Outcome.Accepted;
        }

        string text = Encoding.Latin1.GetString(input);
        OracleException.Require(text.Length < 40 || !decoded.Refusal!.Contains(text[20..40], StringComparison.Ordinal), "The refusal repeats what is in the file.");
        return Outcome.Rejected(decoded.Refusal!.Replace(_path, "", StringComparison.Ordinal)[..10]);
    }
}
