using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Bft.Sim;

/// <summary>A run as one HTML file that needs nothing else: a space-time diagram, with what led to the violation in full colour and the rest pale.</summary>
internal static class Picture
{
    /// <summary>Draws.</summary>
    /// <param name="run">With its log.</param>
    /// <param name="artefact">The failure that it is of; null for any other run.</param>
    /// <param name="file">Where the artefact lies.</param>
    public static string Of(RunResult run, Artefact? artefact = null, string? file = null)
    {
        Trace trace = run.Trace ?? throw new ArgumentException("A picture needs the run's log.", nameof(run));
        CausalSlice causes = new(trace.Events);
        bool[] slice = causes.Of(trace.Events, run.Violation?.Parties ?? []);
        SlotNames names = new(trace.Events.Select(happened => happened.Text));
        bool isFocused = slice.Contains(false);
        PictureLayout all = new(run, null);
        PictureLayout? part = isFocused ? new(run, slice) : null;
        return $"""
            <!DOCTYPE html>
            <html xmlns="http://www.w3.org/1999/xhtml" lang="en">
            <head>
            <meta charset="utf-8"/>
            <title>{Escaped(Title(run))}</title>
            <style>
            {Asset("picture.css")}
            </style>
            </head>
            <body class="{(isFocused ? "focus" : "")}">
            <main>
            <header>
            {Heading(run, artefact, file, part ?? all, names)}
            </header>
            {LaneNames(run, all)}
            {(part is null ? "" : new PictureDrawing("part", run, part, slice, causes, names).Draw())}
            {new PictureDrawing("whole", run, all, slice, causes, names).Draw()}
            {Legend}
            </main>
            <div id="tip"></div>
            <script type="application/json" id="data">{Data(run, index => all.IsDrawn(index) || part?.IsDrawn(index) == true, causes, names)}</script>
            <script>/*<![CDATA[*/
            {Asset("picture.js")}
            /*]]>*/</script>
            </body>
            </html>

            """;
    }

    private const string Legend = """
        <footer>
        <span class="batch">batch</span> <span class="ack">acks</span> <span class="cert">certificate, tip</span> <span class="body">body, fetch</span> <span class="claim">refusal, floor, evidence</span>
        <span class="lostword">✕ lost</span> · time runs down, idle time is shortened · hover for details, click to see what led to an event
        </footer>
        """;

    private static string Escaped(string text) => WebUtility.HtmlEncode(text);

    private static string Asset(string name)
    {
        using Stream stream = typeof(Picture).Assembly.GetManifestResourceStream(name)!;
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }

    private static string Title(RunResult run) => string.Create(CultureInfo.InvariantCulture, $"{run.Violation?.Checker ?? "run"} · seed {run.Request.Seed} · {run.Request.Scenario ?? run.Request.Profile}");

    private static string Heading(RunResult run, Artefact? artefact, string? file, PictureLayout layout, SlotNames names)
    {
        RunPlan plan = run.Request.Plan;
        StringBuilder text = new();
        text.Append(run.Violation is { } violation
            ? string.Create(CultureInfo.InvariantCulture, $"<h1 class=\"bad\">{Escaped(violation.Checker)} violated at {violation.At / 1e9:0.000} s</h1>\n<p class=\"verdict\">{Escaped(names.Shorten(violation.Text))}</p>\n")
            : "<h1>All properties held</h1>\n");
        text.Append(CultureInfo.InvariantCulture, $"<p>seed <b>{run.Request.Seed}</b> · {Escaped(run.Request.Scenario ?? run.Request.Profile)} · n = {plan.Witnesses}, f = {plan.FaultyMax}");
        text.Append(plan.Byzantine.Count == 0 ? "" : $" · Byzantine: {string.Join(", ", plan.Byzantine).ToLowerInvariant()}");
        text.Append(plan.ByzantinePublishers == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" · {plan.ByzantinePublishers} Byzantine publisher(s)"));
        text.Append(CultureInfo.InvariantCulture, $" · {run.Deliveries:N0} deliveries, {run.Events:N0} events · {string.Join(", ", names.Streams.Select(stream => $"{stream.Name} is stream {stream.Stream}"))}</p>\n");
        if (artefact?.Minimal is { } minimal)
        {
            text.Append(CultureInfo.InvariantCulture, $"<p>shrunk from {minimal.EventsBefore:N0} to <b>{minimal.Events:N0}</b> events in {minimal.Runs:N0} runs; left are: {Escaped(string.Join(" · ", minimal.Kept.Take(12)))}{(minimal.Kept.Count > 12 ? " …" : "")}</p>\n");
        }

        text.Append(file is null ? $"<p><code>{Escaped(Reproduction.Command(run.Request))} --log</code></p>\n" : $"<p><code>{Escaped(Reproduction.Replay(file))} --log</code></p>\n");
        string leftOut = layout.LeftOut == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{layout.LeftOut:N0} events are not drawn; the log has them.");
        text.Append(run.Violation is null
            ? $"<p class=\"note\">{leftOut}</p>\n"
            : $"<p class=\"note\">below is what led to it · <label><input type=\"checkbox\" id=\"all\"/> show everything</label> {leftOut}</p>\n");
        return text.ToString();
    }

    private static string LaneNames(RunResult run, PictureLayout layout) =>
        "<div class=\"lanes\">" + string.Concat(layout.Lanes.Select(party => string.Create(CultureInfo.InvariantCulture,
            $"<span class=\"{ClassOf(run, party)}\" style=\"left:{layout.X(party):0.#}px\">{Escaped(run.Parties[party])}<small>{WordOf(run, party)}</small></span>"))) + "</div>";

    private static bool IsByzantine(RunResult run, int party) => run.Parties[party][0] is 'X' or 'Y' || run.Trace!.Events.Any(happened => happened.Kind == TraceKind.Attack && happened.Party == party);

    private static string ClassOf(RunResult run, int party) => IsByzantine(run, party) ? "liar" : run.Violation?.Parties.Contains(party) == true ? "hit" : "";

    private static string WordOf(RunResult run, int party) =>
        IsByzantine(run, party) && run.Parties[party][0] == 'W' ? "Byzantine" : run.Parties[party].FirstOrDefault() switch { 'W' => "witness", 'P' or 'X' => "publisher", _ => "receiver" };

    /// <summary>For the script: of each event drawn time, words and what came directly before.</summary>
    private static string Data(RunResult run, Func<int, bool> isDrawn, CausalSlice causes, SlotNames names)
    {
        using MemoryStream bytes = new();
        using (Utf8JsonWriter json = new(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.Default }))
        {
            json.WriteStartObject();
            foreach (int index in Enumerable.Range(0, run.Trace!.Count).Where(isDrawn))
            {
                TraceEvent happened = run.Trace.Events[index];
                json.WriteStartArray(index.ToString(CultureInfo.InvariantCulture));
                json.WriteStringValue($"{LogText.Time(happened.At).Trim()} s");
                json.WriteStringValue(Words(run, happened, causes.Cause(index)));
                json.WriteStringValue(names.Shorten(happened.Text));
                json.WriteStringValue(happened.Text);
                json.WriteNumberValue(Drawn(causes.Before(index)));
                json.WriteNumberValue(causes.Cause(index) >= 0 && isDrawn(causes.Cause(index)) ? causes.Cause(index) : -1);
                json.WriteEndArray();
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.ToArray());

        int Drawn(int index)
        {
            while (index >= 0 && !isDrawn(index))
            {
                index = causes.Before(index);
            }

            return index;
        }
    }

    private static string Words(RunResult run, TraceEvent happened, int cause)
    {
        string party = LogText.Name(run.Parties, happened.Party);
        string other = LogText.Name(run.Parties, happened.Other);
        string way = cause < 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", {(happened.At - run.Trace!.Events[cause].At) / 1e6:0.000} ms on its way");
        return happened.Kind switch
        {
            TraceKind.Send => $"{party} → {other}",
            TraceKind.Deliver => $"{other} → {party}{way}",
            TraceKind.Drop => $"{other} → {party}, lost{way}",
            _ => $"{party}: {happened.Kind.ToString().ToLowerInvariant()}",
        };
    }
}
