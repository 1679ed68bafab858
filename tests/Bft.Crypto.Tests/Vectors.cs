using System.Text.Json;

namespace Bft.Crypto.Tests;

/// <summary>Published test vectors, which are kept beside the checkout and not in it: the folder shared/vectors in a parent folder.</summary>
internal static class Vectors
{
    private static readonly string? Folder = Find();

    public static string? WhyMissing => Folder is null ? "No folder shared/vectors beside the checkout." : null;

    public static JsonElement Read(string file)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder!, file)));
        return document.RootElement.Clone();
    }

    private static string? Find()
    {
        for (DirectoryInfo? parent = new(AppContext.BaseDirectory); parent is not null; parent = parent.Parent)
        {
            string folder = Path.Combine(parent.FullName, "shared", "vectors");
            if (Directory.Exists(folder))
            {
                return folder;
            }
        }

        return null;
    }
}

/// <summary>A test that reads <see cref="Vectors"/>: skipped, with the reason, where they are missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class VectorsFactAttribute : FactAttribute
{
    public VectorsFactAttribute() => Skip = Vectors.WhyMissing;
}
