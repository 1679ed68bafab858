namespace Bft.Sim;

/// <summary>What a choice is about. Each stream has counters of its own, so that more choices of one kind move none of another.</summary>
public enum ChoiceStream
{
    /// <summary>The run's configuration.</summary>
    Plan,

    /// <summary>What becomes of a message: its delay, loss, doubling.</summary>
    Network,

    /// <summary>Whether a message exists at all: taken away by shrinking only.</summary>
    Delivery,

    /// <summary>Partitions and their end.</summary>
    Partition,

    Disk,

    Crash,

    Clock,

    Adversary,

    Workload,

    Checkpoint,
}

/// <summary>One choice of a run. An entity is a party, a link, or whatever the stream counts by.</summary>
public readonly record struct ChoiceId(ChoiceStream Stream, int Entity, int Index) : IComparable<ChoiceId>
{
    public static bool operator <(ChoiceId left, ChoiceId right) => left.CompareTo(right) < 0;

    public static bool operator >(ChoiceId left, ChoiceId right) => left.CompareTo(right) > 0;

    public static bool operator <=(ChoiceId left, ChoiceId right) => left.CompareTo(right) <= 0;

    public static bool operator >=(ChoiceId left, ChoiceId right) => left.CompareTo(right) >= 0;

    public int CompareTo(ChoiceId other) => (Stream, Entity, Index).CompareTo((other.Stream, other.Entity, other.Index));

    /// <summary>As it stands in a tape.</summary>
    public override string ToString() => $"{Stream}/{Entity}/{Index}";

    /// <exception cref="FormatException">It is none.</exception>
    public static ChoiceId Parse(string text)
    {
        string[] parts = (text ?? "").Split('/');
        return parts.Length == 3
            && Enum.TryParse(parts[0], out ChoiceStream stream)
            && int.TryParse(parts[1], out int entity)
            && int.TryParse(parts[2], out int index)
            ? new ChoiceId(stream, entity, index)
            : throw new FormatException($"'{text}' is no choice: STREAM/ENTITY/INDEX.");
    }
}
