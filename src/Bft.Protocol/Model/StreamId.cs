using Bft.Crypto;

namespace Bft.Protocol.Model;

/// <summary>One publisher's batches in one topic in one incarnation: digest of (tag, cluster, publisher key, topic, incarnation).</summary>
/// <remarks>Built by <see cref="StreamHeader.Id"/> from a header, or read from bytes whose header is not known yet.</remarks>
public readonly record struct StreamId(Digest Digest) : IComparable<StreamId>
{
    public static bool operator <(StreamId left, StreamId right) => left.CompareTo(right) < 0;

    public static bool operator >(StreamId left, StreamId right) => left.CompareTo(right) > 0;

    public static bool operator <=(StreamId left, StreamId right) => left.CompareTo(right) <= 0;

    public static bool operator >=(StreamId left, StreamId right) => left.CompareTo(right) >= 0;

    public int CompareTo(StreamId other) => Digest.CompareTo(other.Digest);

    public override int GetHashCode() => Digest.GetHashCode();

    public override string ToString() => Digest.ToString();
}
