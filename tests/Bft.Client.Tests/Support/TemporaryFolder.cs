namespace Bft.Client.Tests.Support;

/// <summary>A folder that goes away, and that can be put back to an earlier state.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("bft-client-").FullName;

    public string Path => System.IO.Path.Combine(_root, "data");

    /// <summary>The copy that <see cref="Save"/> makes.</summary>
    public string Saved => System.IO.Path.Combine(_root, "saved");

    public void Save() => Copy(Path, Saved);

    public void Restore()
    {
        Directory.Delete(Path, recursive: true);
        Copy(Saved, Path);
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private static void Copy(string from, string to)
    {
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            string target = System.IO.Path.Combine(to, System.IO.Path.GetRelativePath(from, file));
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
