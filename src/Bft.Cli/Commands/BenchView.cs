using System.Diagnostics;
using System.Globalization;
using Bft.Bench.Results;
using Bft.Cli.Output;
using Spectre.Console;

namespace Bft.Cli.Commands;

/// <summary>What a bench measured: a line of JSON per case as it comes, or a table per workload at the end, a column per case.</summary>
internal sealed class BenchView : IBenchOutput
{
    private const int BarWidth = 24;

    private readonly Session _session;
    private readonly List<BenchCase> _cases = [];
    private volatile Step _step = new("", null, 0);

    public BenchView(Session session, bool isMachineShown = true)
    {
        _session = session;
        if (session.IsJson && isMachineShown)
        {
            Machine here = Machine.Here();
            session.Json.Write("machine", fields =>
            {
                fields.WriteString("processor", here.Processor);
                fields.WriteNumber("cores", here.Cores);
                fields.WriteNumber("memoryMebibytes", here.MemoryMebibytes);
                fields.WriteString("runtime", here.Runtime);
                fields.WriteString("commit", here.Commit);
                fields.WriteString("date", here.Date);
            });
        }
    }

    public IReadOnlyList<BenchCase> Cases => _cases;

    /// <summary>What goes on, with a bar where it is known how long that takes.</summary>
    public string Progress
    {
        get
        {
            Step step = _step;
            double share = Math.Min(1, Stopwatch.GetElapsedTime(step.Begun) / (step.Time ?? TimeSpan.MaxValue));
            string bar = new string('█', (int)(share * BarWidth)).PadRight(BarWidth, '░');
            return step.Time is null ? step.What : $"{bar} {step.What}";
        }
    }

    public void Doing(string what, TimeSpan? time = null) => _step = new Step(what + " …", time, Stopwatch.GetTimestamp());

    public void Noted(string sentence)
    {
        _session.Note(sentence);
        if (_session.IsJson)
        {
            _session.Json.Write("note", fields => fields.WriteString("message", sentence));
        }
    }

    public void Measured(BenchCase measured)
    {
        _cases.Add(measured);
        if (_session.IsJson)
        {
            _session.Json.Write("bench", fields =>
            {
                fields.WriteString("workload", measured.Workload);
                fields.WriteString("case", measured.Name);
                foreach (Figure figure in measured.Figures.Where(figure => double.IsFinite(figure.Value)))
                {
                    fields.WriteNumber(figure.Name, Math.Round(figure.Value, 4));
                }
            });
        }
    }

    /// <summary>Also what was measured before something went wrong.</summary>
    public void Show()
    {
        if (_session.IsJson)
        {
            return;
        }

        foreach (IGrouping<string, BenchCase> workload in _cases.GroupBy(one => one.Workload, StringComparer.Ordinal))
        {
            Screen.Out.Write(TableOf(workload.Key, [.. workload]));
            Screen.Out.WriteLine();
        }
    }

    private static Table TableOf(string workload, BenchCase[] cases)
    {
        Table table = new() { Border = TableBorder.Simple };
        table.AddColumn(new TableColumn(Markup.Escape(workload)));
        foreach (BenchCase one in cases)
        {
            table.AddColumn(new TableColumn(Markup.Escape(one.Name)).RightAligned());
        }

        foreach (Figure figure in cases.SelectMany(one => one.Figures).DistinctBy(figure => figure.Name, StringComparer.Ordinal))
        {
            table.AddRow([figure.Label, .. cases.Select(one => TextOf(one, figure.Name))]);
        }

        return table;
    }

    private static string TextOf(BenchCase one, string name) =>
        one.Figures.FirstOrDefault(figure => figure.Name == name) is { Name: not null } figure ? figure.Value.ToString(figure.Format, CultureInfo.InvariantCulture) : "";

    /// <param name="What">Goes on.</param>
    /// <param name="Time">That it takes, about.</param>
    /// <param name="Begun">See <see cref="Stopwatch.GetTimestamp"/>.</param>
    private sealed record Step(string What, TimeSpan? Time, long Begun);
}
