namespace Bft.Protocol.Model;

/// <summary>64 random bits that name one run of a witness process; durable before the run's first ack.</summary>
public readonly record struct Run(ulong Value)
{
    public override int GetHashCode() => unchecked((int)(Value ^ (Value >> 32)));

    public override string ToString() => Value.ToString("x16", System.Globalization.CultureInfo.InvariantCulture);
}
