using System.Globalization;

namespace Bft.Sim;

/// <summary>The log of a run for people: a line per event, in columns.</summary>
internal static class LogText
{
    /// <summary>All lines: time, party, arrow, other party, what.</summary>
    public static IEnumerable<string> Lines(RunResult result)
    {
        if (result.Trace is not { } trace)
        {
            yield break;
        }

        int width = result.Parties.Count == 0 ? 2 : result.Parties.Max(name => name.Length);
        foreach (TraceEvent happened in trace.Events)
        {
            yield return Line(happened, result.Parties, width);
        }
    }

    /// <summary>Seconds with all nanoseconds that matter.</summary>
    public static string Time(long nanoseconds) => string.Create(CultureInfo.InvariantCulture, $"{nanoseconds / 1_000_000_000m,12:0.000000}");

    /// <summary>A party's name; "·" for the world.</summary>
    public static string Name(IReadOnlyList<string> parties, int party) => party >= 0 && party < parties.Count ? parties[party] : party < 0 ? "·" : $"#{party}";

    private static string Line(in TraceEvent happened, IReadOnlyList<string> parties, int width)
    {
        string party = Name(parties, happened.Party).PadRight(width);
        string other = (happened.Other < 0 ? "" : Name(parties, happened.Other)).PadRight(width);
        (string sign, string word) = happened.Kind switch
        {
            TraceKind.Send => ("──▶", ""),
            TraceKind.Deliver => ("◀──", ""),
            TraceKind.Drop => ("◀╌✗", "lost: "),
            TraceKind.Broadcast => (" ▼ ", "broadcasts "),
            TraceKind.Certified => (" ★ ", "certified "),
            TraceKind.Stored => (" ■ ", "stored tip "),
            TraceKind.Delivered => (" ● ", "delivers "),
            TraceKind.Durable => (" ▬ ", "durable: "),
            TraceKind.Evidence => (" ⚑ ", "evidence: "),
            TraceKind.Crash => (" ✖ ", "down: "),
            TraceKind.Restart => (" ↻ ", "up: "),
            TraceKind.DiskFault => (" ◙ ", "disk: "),
            TraceKind.Clock => (" ◷ ", ""),
            TraceKind.Partition => (" ╳ ", "partition: "),
            TraceKind.Attack => (" ⚡ ", "attack: "),
            TraceKind.Heal => (" ♥ ", "heals "),
            TraceKind.Probe => (" ◆ ", "reached: "),
            TraceKind.Violation => ("!!!", "VIOLATION "),
            _ => (" · ", ""),
        };
        string number = happened.Message == 0 ? "" : $"  ({happened.Message})";
        return $"{Time(happened.At)}  {party} {sign} {other}  {word}{happened.Text}{number}".TrimEnd();
    }
}
