namespace Bft.Protocol.Model;

/// <summary>A place in a stream; at most one batch is ever certified in it.</summary>
public readonly record struct Slot(StreamId Stream, Sequence Sequence)
{
    public override int GetHashCode() => unchecked((Stream.GetHashCode() * 397) ^ Sequence.GetHashCode());

    public override string ToString() => $"{Stream.ToString()[..8]}/{Sequence}";
}
