using System.Security.Cryptography;

namespace Bft.Fuzz;

/// <summary>Inputs in files: a folder per target.</summary>
internal static class Corpus
{
    public static string? Default { get; } = Find(AppContext.BaseDirectory);

    /// <summary>Names and bytes of a target's files, in the order of their names.</summary>
    public static IEnumerable<Seed> Load(string folder, Target target)
    {
        string own = Path.Combine(folder, target.Name);
        return Directory.Exists(own)
            ? Directory.EnumerateFiles(own).Order(StringComparer.Ordinal).Select(path => new Seed(Path.GetFileName(path), File.ReadAllBytes(path)))
            : [];
    }

    /// <summary>Writes the samples and edge cases of a target. What else is there, found once, stays.</summary>
    public static int Write(string folder, Target target)
    {
        string own = Path.Combine(folder, target.Name);
        Directory.CreateDirectory(own);
        int count = 0;
        foreach (Seed seed in target.Seeds())
        {
            File.WriteAllBytes(Path.Combine(own, seed.Name), seed.Bytes);
            count++;
        }

        return count;
    }

    /// <summary>Writes a failing input and what it did.</summary>
    /// <returns>The input's path.</returns>
    public static string Keep(string folder, Finding finding)
    {
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, $"{finding.Target}-{finding.Kind}-{Convert.ToHexStringLower(SHA256.HashData(finding.Input).AsSpan(0, 6))}");
        File.WriteAllBytes(path, finding.Input);
        File.WriteAllText(path + ".txt", $"{finding.Target}: {finding.Kind}\n{finding.Text}\n");
        return path;
    }

    private static string? Find(string? folder)
    {
        for (; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            string corpus = Path.Combine(folder, "tests", "Bft.Fuzz", "Corpus");
            if (Directory.Exists(corpus))
            {
                return corpus;
            }
        }

        return null;
    }
}
