namespace Bft.Storage.Tests;

/// <summary>A directory of its own for one test, mode 0700, removed at the end.</summary>
/// <param name="inMemory">On /dev/shm where there is one: for tests that open thousands of journals.</param>
internal sealed class TemporaryDirectory(bool inMemory = false) : IDisposable
{
    private const string Memory = "/dev/shm";

    public string Root { get; } = inMemory && Directory.Exists(Memory) ? MadeIn(Memory) : Directory.CreateTempSubdirectory("bft-").FullName;

    public string this[string name] => Path.Combine(Root, name);

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private static string MadeIn(string parent) =>
        Directory.CreateDirectory(Path.Combine(parent, $"bft-{Path.GetRandomFileName()}"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;
}
