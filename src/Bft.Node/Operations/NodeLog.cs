using System.Globalization;
using Bft.Protocol.Membership;

namespace Bft.Node;

/// <summary>Plain lines, one per event, never with a secret.</summary>
internal sealed class NodeLog(TextWriter output, WitnessIndex self)
{
    private readonly Lock _lock = new();

    public void Write(string line)
    {
        lock (_lock)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"witness {self} {line}"));
            output.Flush();
        }
    }
}
