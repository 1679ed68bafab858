namespace Bft.Protocol.Model;

/// <summary>Period with one committee. Until changes of committee are specified it is 0, and anything else is refused.</summary>
public readonly record struct Epoch(uint Value)
{
    public static Epoch Zero => default;
}
