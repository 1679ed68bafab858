namespace Bft.Configuration;

/// <summary>cluster.yaml cannot be used. The message names the file, the line where there is one, what is wrong and what to do.</summary>
public sealed class ClusterFileException : Exception
{
    public ClusterFileException(string file, int line, string problem, Exception? inner = null)
        : base(line > 0 ? $"{file}:{line}: {problem}" : $"{file}: {problem}", inner)
    {
        File = file;
        Line = line;
    }

    public string File { get; }

    /// <summary>From 1; 0 when the problem is not in one line.</summary>
    public int Line { get; }
}
