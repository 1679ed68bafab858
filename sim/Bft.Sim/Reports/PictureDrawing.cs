using System.Globalization;
using System.Net;
using System.Text;

namespace Bft.Sim;

/// <summary>The drawing of a run as SVG: lanes below, arrows over them, marks and words on top.</summary>
internal sealed class PictureDrawing(string name, RunResult run, PictureLayout layout, bool[] slice, CausalSlice causes, SlotNames names)
{
    private readonly IReadOnlyList<TraceEvent> _events = run.Trace!.Events;
    private readonly StringBuilder _svg = new();
    private readonly Labels _labels = new();

    public string Draw()
    {
        Line($"<svg id=\"{name}\" class=\"run\" xmlns=\"http://www.w3.org/2000/svg\" width=\"{PictureLayout.Width}\" height=\"{N(layout.Height)}\" viewBox=\"0 0 {PictureLayout.Width} {N(layout.Height)}\">");
        Line($"<defs><pattern id=\"{name}-down\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><rect width=\"7\" height=\"7\" fill=\"#fff0f0\"/><rect width=\"2.2\" height=\"7\" fill=\"#e5534b\"/></pattern>");
        foreach (string kind in new[] { "batch", "ack", "cert", "body", "claim", "house" })
        {
            Line($"<marker id=\"{name}-to-{kind}\" class=\"{kind}\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0,0.8 L8,4 L0,7.2 Z\"/></marker>");
        }

        Line("</defs>");
        Lanes();
        Gaps();
        foreach (int index in layout.Shown)
        {
            BlockMark(index);
        }

        foreach (int index in layout.Shown)
        {
            Message(index);
        }

        foreach (int index in layout.Shown)
        {
            Mark(index);
        }

        Line("</svg>");
        return _svg.ToString();
    }

    private static string N(double number) => number.ToString("0.#", CultureInfo.InvariantCulture);

    private static string Escaped(string text) => WebUtility.HtmlEncode(text);

    private void Line(FormattableString text) => _svg.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');

    private void Line(string text) => _svg.Append(text).Append('\n');

    private string ClassOf(int index) => slice[index] ? "in" : "out";

    private void Lanes()
    {
        foreach (int party in layout.Lanes)
        {
            double x = layout.X(party);
            Line($"<line class=\"lane\" x1=\"{N(x)}\" y1=\"0\" x2=\"{N(x)}\" y2=\"{N(layout.Height - 20)}\"/>");
            Down(party, x);
            Cut(party, x);
        }
    }

    /// <summary>Hatched from a crash until the next start.</summary>
    private void Down(int party, double x)
    {
        double? from = null;
        foreach (int index in layout.Shown.Where(index => _events[index].Party == party))
        {
            if (_events[index].Kind == TraceKind.Crash)
            {
                from ??= layout.Y(index);
            }
            else if (_events[index].Kind == TraceKind.Restart && from is { } top)
            {
                Hatch(top, layout.Y(index));
                from = null;
            }
        }

        if (from is { } last)
        {
            Hatch(last, layout.Height - 20);
        }

        void Hatch(double top, double bottom) =>
            Line($"<rect class=\"down\" x=\"{N(x - 6)}\" y=\"{N(top)}\" width=\"12\" height=\"{N(Math.Max(6, bottom - top))}\" fill=\"url(#{name}-down)\"/>");
    }

    /// <summary>Shaded while a partition lasts.</summary>
    private void Cut(int party, double x)
    {
        foreach (int index in layout.Shown.Where(index => _events[index].Party == party && _events[index].Kind == TraceKind.Partition))
        {
            long until = _events[index].At + Partition.LengthOf(_events[index].Text);
            double bottom = layout.Shown.Where(other => _events[other].At <= until && (_events[other].Kind != TraceKind.Heal || other < index)).Select(layout.Y).DefaultIfEmpty(0).Max();
            double half = Math.Min(24, layout.LaneWidth * 0.42);
            Line($"<rect class=\"cut\" x=\"{N(x - half)}\" y=\"{N(layout.Y(index))}\" width=\"{N(2 * half)}\" height=\"{N(Math.Max(14, bottom - layout.Y(index)))}\"/>");
        }
    }

    private void Gaps()
    {
        foreach ((double y, long length) in layout.Gaps)
        {
            Line($"<path class=\"gap\" d=\"M64,{N(y + 4)} H{PictureLayout.Width - 20}\"/><text class=\"gap\" x=\"70\" y=\"{N(y + 7)}\">{Seconds(length)} later</text>");
        }

        double last = -100;
        foreach (int index in layout.Shown.Where(index => layout.Y(index) - last >= 40))
        {
            last = layout.Y(index);
            Line($"<text class=\"time\" x=\"58\" y=\"{N(last + 3)}\">{(_events[index].At / 1e9).ToString("0.0000", CultureInfo.InvariantCulture)}</text>");
        }
    }

    private static string Seconds(long nanoseconds) => string.Create(CultureInfo.InvariantCulture, $"{nanoseconds / 1e9:0.0} s");

    private void Message(int index)
    {
        TraceEvent happened = _events[index];
        if (happened.Kind == TraceKind.Send)
        {
            if (!Arrivals.Contains(index) && layout.HasLane(happened.Party) && layout.HasLane(happened.Other))
            {
                // It was still on its way when the run, or the picture, ended.
                double x = layout.X(happened.Party);
                double y = layout.Y(index);
                Group(index, $"m {MessageKind.Of(happened.Text)}", () => Line($"<path class=\"arrow under-way\" d=\"M{N(x)},{N(y)} L{N(x + ((layout.X(happened.Other) - x) * 0.3))},{N(y + 8)}\"/>"));
                Label(index, x, y, happened);
            }

            return;
        }

        if (happened.Kind is not (TraceKind.Deliver or TraceKind.Drop) || !layout.HasLane(happened.Party) || !layout.HasLane(happened.Other))
        {
            return;
        }

        int cause = causes.Cause(index);
        double toX = layout.X(happened.Party);
        double toY = layout.Y(index);
        double fromX = layout.X(happened.Other);
        double fromY = layout.IsDrawn(cause) ? layout.Y(cause) : toY - 8;
        bool isLost = happened.Kind == TraceKind.Drop;
        if (isLost && cause >= 0 && _events[cause].At == happened.At)
        {
            // Lost at once: it does not get as far as the next lane, and the farther it was to go the farther it gets.
            double lanes = (toX - fromX) / layout.LaneWidth;
            (toX, toY) = (fromX + (Math.Sign(lanes) * Math.Min(0.85, 0.3 + (0.1 * Math.Abs(lanes))) * layout.LaneWidth), fromY + 5 + Math.Min(12, 3 * Math.Abs(lanes)));
        }

        string kind = MessageKind.Of(happened.Text);
        Group(index, $"m {kind}{(isLost ? " lost" : "")}", () =>
        {
            string head = isLost ? "" : $" marker-end=\"url(#{name}-to-{kind})\"";
            Line($"<path class=\"hit\" d=\"M{N(fromX)},{N(fromY)} L{N(toX)},{N(toY)}\"/><path class=\"arrow\" d=\"M{N(fromX)},{N(fromY)} L{N(toX)},{N(toY)}\"{head}/>");
            if (isLost)
            {
                Line($"<path class=\"cross\" d=\"M{N(toX - 4)},{N(toY - 4)} l8,8 m0,-8 l-8,8\"/>");
            }
        });
        if (cause >= 0 && layout.IsDrawn(cause))
        {
            Label(cause, fromX, fromY, _events[cause]);
        }
    }

    /// <summary>Words of a message beside its sender, once for all that get the same.</summary>
    private void Label(int send, double x, double y, TraceEvent sent)
    {
        if (!_labelled.Add((sent.Party, sent.At, sent.Text)) || MessageKind.IsHousekeeping(sent.Text))
        {
            return;
        }

        string text = Cut(names.Shorten(sent.Text), 22);
        double width = text.Length * 5.6;
        bool isRight = layout.X(sent.Other) >= x;
        ReadOnlySpan<(double, double)> places = isRight
            ? [(x + 7, y - 3), (x + 7, y + 11), (x - 7 - width, y - 3), (x - 7 - width, y + 11)]
            : [(x - 7 - width, y - 3), (x - 7 - width, y + 11), (x + 7, y - 3), (x + 7, y + 11)];
        if (_labels.TryPlace(text, places, out (double X, double Y) place))
        {
            Line($"<text class=\"word {MessageKind.Of(sent.Text)} {ClassOf(send)}\" x=\"{N(place.X)}\" y=\"{N(place.Y)}\">{Escaped(text)}</text>");
        }
    }

    private void BlockMark(int index)
    {
        if (layout.HasLane(_events[index].Party) && MarkShapes.Has(_events[index].Kind))
        {
            _labels.Block(layout.X(_events[index].Party), layout.Y(index), 7, 6);
        }
    }

    private void Mark(int index)
    {
        TraceEvent happened = _events[index];
        double y = layout.Y(index);
        string kind = happened.Kind.ToString().ToLowerInvariant();
        if (happened.Kind is TraceKind.Heal)
        {
            Group(index, kind, () => Line($"<path class=\"across\" d=\"M64,{N(y)} H{PictureLayout.Width - 20}\"/><text class=\"across\" x=\"{PictureLayout.Width / 2}\" y=\"{N(y - 4)}\">the chaos ends, the core heals {Escaped(names.Shorten(happened.Text))}</text>"));
            return;
        }

        if (happened.Kind is TraceKind.Violation)
        {
            Violation(index, happened, y);
            return;
        }

        if (!layout.HasLane(happened.Party) || !MarkShapes.Has(happened.Kind))
        {
            return;
        }

        double x = layout.X(happened.Party);
        string word = Cut(MarkShapes.Word(happened.Kind, names.Shorten(happened.Text)), 34);
        Group(index, $"mark {kind}", () =>
        {
            Line($"<g transform=\"translate({N(x)},{N(y)})\">{MarkShapes.Of(happened.Kind)}</g>");
            double width = word.Length * 5.8;
            ReadOnlySpan<(double, double)> places = [(x + 10, y + 4), (x - 10 - width, y + 4), (x + 10, y + 13), (x - 10 - width, y + 13), (x + 10, y - 6), (x - 10 - width, y - 6)];
            bool isPlaced = _labels.TryPlace(word, places, out (double X, double Y) place);
            if (isPlaced || MarkShapes.IsLoud(happened.Kind))
            {
                (double wordX, double wordY) = isPlaced ? place : (x + 10, y + 4);
                Line($"<text class=\"word\" x=\"{N(wordX)}\" y=\"{N(wordY)}\">{Escaped(word)}</text>");
            }
        });
    }

    private void Violation(int index, TraceEvent happened, double y) => Group(index, "violation", () =>
    {
        Line($"<a id=\"{name}-violation\"></a>");
        Line($"<path class=\"across\" d=\"M64,{N(y)} H{PictureLayout.Width - 20}\"/>");
        IEnumerable<int> parties = run.Violation?.Parties ?? [];
        foreach (int party in parties.Append(happened.Party).Where(layout.HasLane).Distinct())
        {
            Line($"<circle class=\"concerned\" cx=\"{N(layout.X(party))}\" cy=\"{N(y)}\" r=\"9\"/>");
        }

        string text = names.Shorten(run.Violation is { } found ? $"{found.Checker}: {found.Text}" : happened.Text).ReplaceLineEndings(" ");
        string[] lines = [.. Wrapped(text, 120).Take(4)];
        Line($"<rect class=\"verdict\" x=\"64\" y=\"{N(y + 14)}\" width=\"{PictureLayout.Width - 84}\" height=\"{N(12 + (18 * lines.Length))}\" rx=\"4\"/>");
        for (int i = 0; i < lines.Length; i++)
        {
            Line($"<text class=\"verdict\" x=\"76\" y=\"{N(y + 32 + (18 * i))}\">{Escaped(lines[i])}</text>");
        }
    });

    private static IEnumerable<string> Wrapped(string text, int width)
    {
        string line = "";
        foreach (string word in text.Split(' '))
        {
            if (line.Length + word.Length >= width)
            {
                yield return line;
                line = "";
            }

            line += line.Length == 0 ? word : $" {word}";
        }

        yield return line;
    }

    private static string Cut(string text, int length) => text.Length <= length ? text : text[..(length - 1)] + "…";

    private void Group(int index, string classes, Action content)
    {
        Line($"<g class=\"e {classes} {ClassOf(index)}\" data-i=\"{index}\">");
        content();
        Line("</g>");
    }

    private HashSet<int> Arrivals => _arrivals ??= [.. layout.Shown.Select(causes.Cause).Where(cause => cause >= 0)];

    private HashSet<int>? _arrivals;
    private readonly HashSet<(int Party, long At, string Text)> _labelled = [];
}
