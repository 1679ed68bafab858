using System.Globalization;
using System.Text.Json;
using Bft.Cli.Clusters;
using Bft.Cli.Output;
using Bft.Client;
using Bft.Configuration;
using Bft.Wire.Frames;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Bft.Cli.Commands;

/// <summary>The answers of all witnesses, as tables or as JSON.</summary>
internal sealed class StatusView(ClusterFile cluster, WitnessHealth[] answers)
{
    /// <summary>Most streams in the table; --json has all that the witnesses list.</summary>
    private const int StreamsShown = 20;

    public int Answering { get; } = answers.Count(answer => answer.Status is not null);

    public void Show(IAnsiConsole console)
    {
        console.Write(Witnesses());
        StreamRow[] streams = Streams();
        if (streams.Length > 0)
        {
            console.WriteLine();
            console.Write(StreamTable(streams));
            if (streams.Length > StreamsShown)
            {
                console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"… and {streams.Length - StreamsShown} more streams; --json lists them."));
            }
        }

        console.WriteLine();
        int quorum = cluster.Committee.Size.Quorum;
        console.MarkupLine(Answering >= quorum
            ? $"[green]✓[/] {Answering} of {answers.Length} witnesses answer; a quorum is {quorum}."
            : $"[red]✗[/] {Answering} of {answers.Length} witnesses answer, but a quorum is {quorum}: nothing can be certified until more are back.");
        foreach (WitnessHealth telling in answers.Where(answer => answer.Status is { Text.Length: > 0 }))
        {
            console.MarkupLine(string.Create(CultureInfo.InvariantCulture, $"  [yellow]Witness {telling.Witness.Value}: {telling.Status!.Text.EscapeMarkup()}.[/]"));
        }

        foreach (WitnessHealth damaged in answers.Where(answer => answer.Status is { DamagedCount: > 0 }))
        {
            console.MarkupLine(string.Create(CultureInfo.InvariantCulture, $"  [yellow]Witness {damaged.Witness.Value} cannot read {damaged.Status!.DamagedCount:N0} of its records[/]; it fetches them from the others. Look at its disk."));
        }

        foreach (WitnessHealth silent in answers.Where(answer => answer.Status is null))
        {
            console.WriteLine($"  Witness {silent.Witness.Value} ({AddressOf(silent)}): {WitnessWatch.Sentence(silent.Problem ?? "no answer")}");
        }
    }

    public void Write(JsonLines json)
    {
        foreach (WitnessHealth answer in answers)
        {
            json.Write("witness", fields => Describe(fields, answer));
        }

        json.Write("cluster", fields =>
        {
            fields.WriteString("cluster", cluster.Genesis.Cluster.ToString());
            fields.WriteString("name", cluster.Genesis.Name);
            fields.WriteNumber("witnesses", answers.Length);
            fields.WriteNumber("answering", Answering);
            fields.WriteNumber("quorum", cluster.Committee.Size.Quorum);
        });
    }

    private string AddressOf(WitnessHealth answer) => cluster.Witnesses[answer.Witness.Value].Address.Authority;

    private static string StateOf(StatusFrame status) => status.State switch
    {
        WitnessState.Recovering => "recovering",
        WitnessState.Serving => "serving",
        WitnessState.NotAcking => "not acking",
        WitnessState.Faulted => "faulted",
        _ => "unknown",
    };

    private Table Witnesses()
    {
        Table table = NewTable("", "Witness", "State", ">Mark", ">Streams", ">Journal", ">Evidence", ">Peers", ">Up");
        foreach (WitnessHealth answer in answers)
        {
            if (answer.Status is not { } status)
            {
                table.AddRow(Text(answer.Witness.Value.ToString(CultureInfo.InvariantCulture)), Text(AddressOf(answer)), new Markup("[red]no answer[/]"));
                continue;
            }

            table.AddRow(
                Text(answer.Witness.Value.ToString(CultureInfo.InvariantCulture)),
                Text(AddressOf(answer)),
                new Markup(status.State == WitnessState.Serving ? "[green]serving[/]" : $"[yellow]{StateOf(status)}[/]"),
                Text(status.Mark.Value.ToString("N0", CultureInfo.InvariantCulture)),
                Text(status.StreamCount.ToString("N0", CultureInfo.InvariantCulture)),
                Text(SizeOf(status.JournalBytes)),
                status.EvidenceCount == 0 ? Text("0") : new Markup(string.Create(CultureInfo.InvariantCulture, $"[yellow]{status.EvidenceCount:N0}[/]")),
                Text(string.Create(CultureInfo.InvariantCulture, $"{status.Peers.Count(peer => peer.IsConnected)}/{answers.Length - 1}")),
                Text(AgeOf(status.StartedUnixMs)));
        }

        return table;
    }

    private Table StreamTable(StreamRow[] streams)
    {
        Table table = NewTable(["Topic", "Publisher", "Stream", .. answers.Select(answer => string.Create(CultureInfo.InvariantCulture, $">Tip {answer.Witness.Value}"))]);
        foreach (StreamRow stream in streams.Take(StreamsShown))
        {
            ulong? highest = stream.Tips.Max();
            table.AddRow(
            [
                Text(stream.Topic), Text(stream.Publisher), Text(stream.Id[..8]),
                .. stream.Tips.Select<ulong?, IRenderable>(tip => tip == highest ? Text(TipOf(tip)) : new Markup($"[yellow]{TipOf(tip)}[/]")),
            ]);
        }

        return table;

        static string TipOf(ulong? tip) => tip?.ToString("N0", CultureInfo.InvariantCulture) ?? "–";
    }

    private StreamRow[] Streams() =>
    [
        .. answers
            .SelectMany(answer => answer.Status?.Streams ?? [])
            .DistinctBy(stream => stream.Stream)
            .OrderBy(stream => stream.Topic.Name, StringComparer.Ordinal)
            .ThenByDescending(stream => stream.Incarnation.Counter)
            .Select(stream => new StreamRow(
                stream.Topic.Name,
                cluster.ClientOf(stream.Publisher)?.Name ?? stream.Publisher.ToString()[..8],
                stream.Stream.ToString(),
                [.. answers.Select(answer => answer.Status?.Streams.FirstOrDefault(own => own.Stream == stream.Stream)?.Tip?.Value)])),
    ];

    private void Describe(Utf8JsonWriter fields, WitnessHealth answer)
    {
        fields.WriteNumber("witness", answer.Witness.Value);
        fields.WriteString("address", AddressOf(answer));
        fields.WriteBoolean("reachable", answer.Status is not null);
        fields.WriteNumber("roundTripMs", Math.Round(answer.RoundTrip.TotalMilliseconds, 1));
        if (answer.Status is not { } status)
        {
            fields.WriteString("problem", WitnessWatch.Sentence(answer.Problem ?? "no answer"));
            return;
        }

        fields.WriteString("state", StateOf(status));
        fields.WriteString("text", status.Text);
        fields.WriteString("run", status.Run.Value.ToString("x16", CultureInfo.InvariantCulture));
        fields.WriteNumber("mark", status.Mark.Value);
        fields.WriteNumber("startedUnixMs", status.StartedUnixMs);
        fields.WriteNumber("journalBytes", status.JournalBytes);
        fields.WriteNumber("evidence", status.EvidenceCount);
        fields.WriteNumber("streamCount", status.StreamCount);
        fields.WriteNumber("damaged", status.DamagedCount);
        fields.WriteNumber("repaired", status.RepairedCount);
        fields.WriteNumber("signatures", status.Work.Signatures);
        fields.WriteNumber("verifications", status.Work.Verifications);
        fields.WriteNumber("flushes", status.Work.Flushes);
        fields.WriteNumber("pauseMicroseconds", status.Work.PauseMicroseconds);
        fields.WriteNumber("allocatedBytes", status.Work.AllocatedBytes);
        fields.WriteStartArray("peers");
        foreach (PeerStatus peer in status.Peers)
        {
            fields.WriteStartObject();
            fields.WriteNumber("witness", peer.Witness.Value);
            fields.WriteBoolean("connected", peer.IsConnected);
            fields.WriteNumber("lastHeardMs", peer.LastHeardMs);
            fields.WriteEndObject();
        }

        fields.WriteEndArray();
        fields.WriteStartArray("streams");
        foreach (StreamStatus stream in status.Streams)
        {
            fields.WriteStartObject();
            fields.WriteString("stream", stream.Stream.ToString());
            fields.WriteString("topic", stream.Topic.Name);
            fields.WriteString("publisher", stream.Publisher.ToString());
            if (stream.Tip is { } tip)
            {
                fields.WriteNumber("tip", tip.Value);
            }

            fields.WriteNumber("floor", stream.Floor.Value);
            fields.WriteEndObject();
        }

        fields.WriteEndArray();
    }

    private static Table NewTable(params string[] headings)
    {
        Table table = new Table().Border(TableBorder.None);
        foreach (string heading in headings)
        {
            // A heading with > is a number's: right-aligned.
            TableColumn column = new TableColumn(new Markup($"[bold]{heading.TrimStart('>').EscapeMarkup()}[/]")).NoWrap().Padding(0, 0, 2, 0);
            table.AddColumn(heading.StartsWith('>') ? column.RightAligned() : column);
        }

        return table;
    }

    private static Text Text(string text) => new(text);

    private static string SizeOf(long bytes) => bytes switch
    {
        < 1024 * 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.#} KiB"),
        < 1024L * 1024 * 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (1024.0 * 1024):0.#} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / (1024.0 * 1024 * 1024):0.##} GiB"),
    };

    private static string AgeOf(long startedUnixMs)
    {
        TimeSpan age = TimeSpan.FromMilliseconds(Math.Max(0, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - startedUnixMs));
        return age.TotalDays >= 2 ? string.Create(CultureInfo.InvariantCulture, $"{age.TotalDays:0} d")
            : age.TotalHours >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{age.TotalHours:0.#} h")
            : age.TotalMinutes >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{age.TotalMinutes:0} min")
            : string.Create(CultureInfo.InvariantCulture, $"{age.TotalSeconds:0} s");
    }

    /// <param name="Topic">Its topic.</param>
    /// <param name="Publisher">Whose it is.</param>
    /// <param name="Id">Its id, in hexadecimal.</param>
    /// <param name="Tips">Its stored tip at each witness; null where there is none.</param>
    private sealed record StreamRow(string Topic, string Publisher, string Id, ulong?[] Tips);
}
