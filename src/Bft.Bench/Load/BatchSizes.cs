using Bft.Bench.Measuring;

namespace Bft.Bench.Load;

/// <summary>How large batches were.</summary>
/// <param name="Messages">In each.</param>
/// <param name="Bytes">Of each body.</param>
internal sealed record BatchSizes(Histogram Messages, Histogram Bytes)
{
    public long Count => Messages.Count;

    public void Add(BatchSizes other)
    {
        Messages.Add(other.Messages);
        Bytes.Add(other.Bytes);
    }
}
