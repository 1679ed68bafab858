using System.Runtime.CompilerServices;

namespace Bft.Style.Tests;

/// <summary>The source tree that these tests read.</summary>
internal static class Repository
{
    public static string Root { get; } = RootOf();

    /// <summary>Source files of a top folder, paths relative to the root, with forward slashes.</summary>
    public static IEnumerable<string> Sources(string folder, string pattern = "*.cs") =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), pattern, SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal) && !path.Contains("/node_modules/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);

    public static string Text(string path) => File.ReadAllText(Path.Combine(Root, path));

    private static string RootOf([CallerFilePath] string here = "")
    {
        // A deterministic build maps the source root to /_/, so the test's own place on disk comes first.
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Bft.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException($"No Bft.sln above {AppContext.BaseDirectory} ({here}).");
    }
}
