using Bft.Protocol.Model;
using Bft.Storage;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>One frame of a range that is served. Whoever writes a <see cref="BodyFrame"/> gives its memory back.</summary>
/// <param name="Frame">To be written before the next one is made.</param>
/// <param name="IsLast">Nothing follows at once: a writer that gathers sends.</param>
internal readonly record struct Served<T>(T Frame, bool IsLast = true)
    where T : class, IFrame
{
    /// <summary>A certified range: certificate and statements, then bodies, as far as they are not cut meanwhile (S2).</summary>
    /// <param name="log">Whose slots.</param>
    /// <param name="range">Which.</param>
    /// <param name="bodiesTo">Bodies up to here; null for none.</param>
    /// <exception cref="StoreDamageException">While it is enumerated: the disk gave other bytes.</exception>
    public static IEnumerable<Served<T>> Range(StreamLog log, StoredRange range, Sequence? bodiesTo)
    {
        Sequence end = bodiesTo is not { } to ? range.From : to < range.To ? to.Following : range.To.Following;
        yield return new Served<T>((T)(object)StoredFrames.Certified(log, range), IsLast: end <= range.From);
        for (Sequence sequence = range.From; sequence < end && sequence >= log.Floor; sequence = sequence.Following)
        {
            yield return new Served<T>((T)(object)StoredFrames.Body(log, sequence), IsLast: sequence.Following == end);
        }
    }
}
