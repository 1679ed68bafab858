using System.Text;

namespace Bft.Protocol.Model;

/// <summary>A name receivers subscribe to: 1 to 255 bytes of UTF-8 without control characters, compared by its bytes.</summary>
public readonly record struct Topic : IComparable<Topic>
{
    /// <summary>Longest name, in bytes of UTF-8.</summary>
    public const int LengthMax = 255;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string? _name;

    /// <exception cref="ArgumentException">The name is empty, too long, or holds control characters or unpaired surrogates.</exception>
    public Topic(string name)
    {
        if (WhyIllegal(name) is { } reason)
        {
            throw new ArgumentException(reason, nameof(name));
        }

        _name = name;
    }

    /// <exception cref="InvalidOperationException">This is default(Topic), which names nothing.</exception>
    public string Name => _name ?? throw new InvalidOperationException("default(Topic) names nothing.");

    /// <summary>Length in bytes of UTF-8.</summary>
    public int Length => Encoding.UTF8.GetByteCount(Name);

    public static bool operator <(Topic left, Topic right) => left.CompareTo(right) < 0;

    public static bool operator >(Topic left, Topic right) => left.CompareTo(right) > 0;

    public static bool operator <=(Topic left, Topic right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Topic left, Topic right) => left.CompareTo(right) >= 0;

    /// <summary>Why this is not a topic's name, as a sentence; null when it is one.</summary>
    public static string? WhyIllegal(string? name)
    {
        if (string.IsNullOrEmpty(name))
        {
            return "A topic has a name of at least one character.";
        }

        if (name.Length > LengthMax)
        {
            return $"A topic's name has at most {LengthMax} bytes.";
        }

        for (int i = 0; i < name.Length; i++)
        {
            bool pair = char.IsHighSurrogate(name[i]) && i + 1 < name.Length && char.IsLowSurrogate(name[i + 1]);
            if (char.IsControl(name[i]) || (char.IsSurrogate(name[i]) && !pair))
            {
                return "A topic's name holds no control characters and no unpaired surrogates.";
            }

            i += pair ? 1 : 0;
        }

        return Encoding.UTF8.GetByteCount(name) > LengthMax ? $"A topic's name has at most {LengthMax} bytes." : null;
    }

    /// <summary>A topic from a peer's bytes.</summary>
    public static bool TryParse(ReadOnlySpan<byte> utf8, out Topic topic)
    {
        topic = default;
        if (utf8.Length is 0 or > LengthMax || !System.Text.Unicode.Utf8.IsValid(utf8))
        {
            return false;
        }

        string name = StrictUtf8.GetString(utf8);
        if (WhyIllegal(name) is not null)
        {
            return false;
        }

        topic = new Topic(name);
        return true;
    }

    /// <summary>Writes the UTF-8 bytes and returns how many.</summary>
    public int CopyTo(Span<byte> destination) => Encoding.UTF8.GetBytes(Name, destination);

    public int CompareTo(Topic other) => string.CompareOrdinal(_name, other._name);

    public override string ToString() => _name ?? "(none)";
}
