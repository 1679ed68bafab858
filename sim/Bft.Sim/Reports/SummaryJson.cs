using System.Text.Encodings.Web;
using System.Text.Json;

namespace Bft.Sim;

/// <summary>What many runs gave, as one JSON object. Field names are stable; docs/simulation.md lists them.</summary>
internal static class SummaryJson
{
    private static readonly JsonWriterOptions Style = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = true };

    public static void Write(Stream output, Summary summary)
    {
        using Utf8JsonWriter json = new(output, Style);
        json.WriteStartObject();
        json.WriteString("profile", summary.Profile);
        json.WriteNumber("runs", summary.Tally.Runs);
        json.WriteNumber("runsTwice", summary.Tally.Repeated);
        json.WriteNumber("events", summary.Tally.Events);
        json.WriteNumber("deliveries", summary.Tally.Deliveries);
        json.WriteNumber("virtualSeconds", Rounded(summary.Tally.VirtualSeconds));
        json.WriteNumber("realSeconds", Rounded(summary.RealSeconds));
        json.WriteNumber("cores", summary.Cores);
        json.WriteNumber("runsPerSecond", Rounded(summary.PerSecond(summary.Tally.Runs)));
        json.WriteNumber("eventsPerSecond", Rounded(summary.PerSecond(summary.Tally.Events)));
        json.WriteNumber("deliveriesPerSecond", Rounded(summary.PerSecond(summary.Tally.Deliveries)));
        json.WriteNumber("deliveriesPerSecondPerCore", Rounded(summary.PerSecond(summary.Tally.Deliveries) / summary.Cores));
        json.WriteNumber("virtualOverReal", Rounded(summary.PerSecond(summary.Tally.VirtualSeconds)));
        if (summary.Hash is { } hash)
        {
            json.WriteString("hash", hash);
        }

        Findings(json, "failures", summary.Tally.Failures);
        Findings(json, "expected", summary.Tally.Findings.Where(finding => finding.IsExpected));
        Counts(json, "probes", summary.Tally.Probes);
        json.WriteStartArray("probesNeverFired");
        foreach (string name in summary.Tally.ProbesNeverFired)
        {
            json.WriteStringValue(name);
        }

        json.WriteEndArray();
        Counts(json, "excuses", summary.Tally.Excuses);
        json.WriteBoolean("interrupted", summary.IsInterrupted);
        json.WriteNumber("exitCode", summary.ExitCode);
        json.WriteEndObject();
        json.Flush();
        output.WriteByte((byte)'\n');
    }

    private static void Findings(Utf8JsonWriter json, string name, IEnumerable<Finding> findings)
    {
        json.WriteStartArray(name);
        foreach (Finding finding in findings)
        {
            json.WriteStartObject();
            json.WriteNumber("seed", finding.Request.Seed);
            json.WriteString("profile", finding.Request.Profile);
            if (finding.Request.Scenario is { } scenario)
            {
                json.WriteString("scenario", scenario);
            }

            json.WriteString("checker", finding.Violation.Checker);
            json.WriteString("text", finding.Violation.Text);
            json.WriteNumber("atSeconds", finding.Violation.At / 1e9);
            json.WriteString("command", Reproduction.Command(finding.Request));
            if (finding.Artefact is { } artefact)
            {
                json.WriteString("artefact", artefact);
                json.WriteString("replay", Reproduction.Replay(artefact));
            }

            if (finding.ShrunkEvents is { } events)
            {
                json.WriteNumber("shrunkEvents", events);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Counts(Utf8JsonWriter json, string name, IReadOnlyDictionary<string, long> counts)
    {
        json.WriteStartObject(name);
        foreach ((string what, long count) in counts)
        {
            json.WriteNumber(what, count);
        }

        json.WriteEndObject();
    }

    private static double Rounded(double number) => Math.Round(number, number < 100 ? 3 : 0);
}
