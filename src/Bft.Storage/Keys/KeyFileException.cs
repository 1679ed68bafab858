namespace Bft.Storage;

/// <summary>A key file is refused. The message names the file and, where there is one, the command that puts it right.</summary>
public sealed class KeyFileException(string path, string reason) : IOException($"{path}: {reason}")
{
    public string Path { get; } = path;
}
