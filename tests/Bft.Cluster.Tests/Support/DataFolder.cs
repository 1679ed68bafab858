namespace Bft.Cluster.Tests.Support;

/// <summary>What may happen to a witness's data folder while the witness is down.</summary>
internal static class DataFolder
{
    /// <summary>All but the lock, which may be taken.</summary>
    public static void Copy(string from, string to)
    {
        if (Directory.Exists(to))
        {
            Directory.Delete(to, recursive: true);
        }

        Directory.CreateDirectory(to, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (string file in Directory.GetFiles(from).Where(file => Path.GetFileName(file) != "lock"))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }
    }

    /// <summary>The segment that is written to.</summary>
    public static string LastSegment(string folder) => Directory.GetFiles(folder, "*.journal").Max(StringComparer.Ordinal)!;

    public static void Cut(string file, long length)
    {
        using FileStream stream = File.OpenWrite(file);
        Assert.InRange(length, 0, stream.Length);
        stream.SetLength(length);
    }

    public static void Flip(string file, long offset)
    {
        using FileStream stream = new(file, FileMode.Open, FileAccess.ReadWrite);
        stream.Position = offset;
        int old = stream.ReadByte();
        stream.Position = offset;
        stream.WriteByte((byte)(old ^ 1));
    }
}
