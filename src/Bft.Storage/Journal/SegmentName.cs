using System.Globalization;

namespace Bft.Storage;

/// <summary>A segment's file name: its number in sixteen digits, so that names sort as numbers do.</summary>
internal static class SegmentName
{
    private const string Suffix = ".journal";
    private const int Digits = 16;

    public static string Of(long segment) => segment.ToString("D16", CultureInfo.InvariantCulture) + Suffix;

    public static bool TryParse(string name, out long segment)
    {
        segment = 0;
        return name.Length == Digits + Suffix.Length
            && name.EndsWith(Suffix, StringComparison.Ordinal)
            && long.TryParse(name.AsSpan(0, Digits), NumberStyles.None, CultureInfo.InvariantCulture, out segment)
            && segment > 0;
    }
}
