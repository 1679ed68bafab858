using System.Globalization;
using System.Text.RegularExpressions;

namespace Bft.Sim;

/// <summary>Short names for slots: "A0" is slot 0 of the first stream that the log names, "A0′" another batch in the same slot.</summary>
internal sealed partial class SlotNames
{
    private const string Primes = "′″‴⁗";

    private readonly Dictionary<string, string> _streams = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<string>> _digests = new(StringComparer.Ordinal);

    public SlotNames(IEnumerable<string> texts)
    {
        foreach (Match slot in texts.SelectMany(text => Slot().Matches(text)))
        {
            string stream = slot.Groups["stream"].Value;
            _streams.TryAdd(stream, NameOf(_streams.Count));
            if (slot.Groups["digest"].Success)
            {
                List<string> digests = DigestsOf(slot);
                if (!digests.Contains(slot.Groups["digest"].Value, StringComparer.Ordinal))
                {
                    digests.Add(slot.Groups["digest"].Value);
                }
            }
        }
    }

    /// <summary>Short name and the four digits of each stream.</summary>
    public IEnumerable<(string Name, string Stream)> Streams => _streams.Select(stream => (stream.Value, stream.Key));

    /// <summary>The text with short names.</summary>
    public string Shorten(string text) => Slot().Replace(text, slot => $"{_streams.GetValueOrDefault(slot.Groups["stream"].Value, "?")}{slot.Groups["slot"].Value}{PrimeOf(slot)}");

    /// <summary>The slots that a text names, without digests.</summary>
    public static IEnumerable<string> SlotsIn(string text) => Slot().Matches(text).Select(slot => $"{slot.Groups["stream"].Value}/{slot.Groups["slot"].Value}");

    [GeneratedRegex(@"\b(?<stream>[0-9a-f]{4})[0-9a-f]*/(?<slot>\d+)(=(?<digest>[0-9a-f]{4})[0-9a-f]*)?|\bslot (?<slot>\d+) of (?<stream>[0-9a-f]{4})[0-9a-f]{4,60}\b", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Slot();

    private static string NameOf(int index) => index < 26 ? ((char)('A' + index)).ToString() : string.Create(CultureInfo.InvariantCulture, $"S{index}.");

    private List<string> DigestsOf(Match slot)
    {
        string key = $"{slot.Groups["stream"].Value}/{slot.Groups["slot"].Value}";
        return _digests.TryGetValue(key, out List<string>? digests) ? digests : _digests[key] = [];
    }

    private string PrimeOf(Match slot)
    {
        int index = slot.Groups["digest"].Success ? DigestsOf(slot).IndexOf(slot.Groups["digest"].Value) : 0;
        return index <= 0 ? "" : Primes[Math.Min(index, Primes.Length) - 1].ToString();
    }
}
