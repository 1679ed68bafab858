namespace Bft.Sim;

/// <summary>Which events of a run are drawn, and where: time runs downwards, each party has a lane.</summary>
/// <remarks>Idle time is compressed: what counts is the order, and a gap that is worth a word gets a line of its own.</remarks>
internal sealed class PictureLayout
{
    public const int Width = 1184; // 1200, less a scroll bar

    private const int EventsMax = 800;
    private const int TimeColumn = 78;
    private const int RightMargin = 70;
    private const double Top = 24;
    private const double StepMin = 9;
    private const double StepMax = 30;
    private const long GapWorthAWord = 300_000_000;

    private readonly double[] _y;
    private readonly double[] _x;

    /// <summary>Lays a run out.</summary>
    /// <param name="run">With its log.</param>
    /// <param name="slice">Only these events; null for all.</param>
    public PictureLayout(RunResult run, bool[]? slice)
    {
        IReadOnlyList<TraceEvent> events = run.Trace!.Events;
        Lanes = [.. Enumerable.Range(0, run.Parties.Count).OrderBy(party => Side(run.Parties[party])).ThenBy(party => party)];
        _x = new double[Lanes.Count];
        LaneWidth = (Width - TimeColumn - RightMargin) / (double)Math.Max(1, Lanes.Count);
        for (int lane = 0; lane < Lanes.Count; lane++)
        {
            _x[Lanes[lane]] = TimeColumn + (LaneWidth * (lane + 0.5));
        }

        int[] shown = [.. Enumerable.Range(0, events.Count).Where(i => IsShown(events[i]) && slice?[i] is not false)];
        LeftOut = Math.Max(0, shown.Length - EventsMax);
        // What led to a violation stands before it; a run without one is shown from its beginning.
        Shown = run.Violation is null ? shown[..Math.Min(shown.Length, EventsMax)] : shown[^Math.Min(shown.Length, EventsMax)..];
        _y = new double[events.Count];
        Array.Fill(_y, double.NaN);
        Place(events);
    }

    /// <summary>Parties from left to right: publishers, witnesses, receivers.</summary>
    public IReadOnlyList<int> Lanes { get; }

    public double LaneWidth { get; }

    /// <summary>Indices of the events drawn, in order.</summary>
    public IReadOnlyList<int> Shown { get; }

    /// <summary>Events that were too many to draw; the log has them.</summary>
    public int LeftOut { get; }

    /// <summary>Where nothing happened for long. Unit of the length: nanoseconds.</summary>
    public List<(double Y, long Length)> Gaps { get; } = [];

    public double Height { get; private set; }

    public double X(int party) => _x[party];

    /// <summary>NaN for an event that is not drawn.</summary>
    public double Y(int index) => _y[index];

    public bool IsDrawn(int index) => index >= 0 && !double.IsNaN(_y[index]);

    public bool HasLane(int party) => party >= 0 && party < _x.Length;

    /// <summary>What only keeps connections going hides the rest.</summary>
    private static bool IsShown(TraceEvent happened) => happened.Kind switch
    {
        TraceKind.Probe => false,
        TraceKind.Send or TraceKind.Deliver or TraceKind.Drop => !MessageKind.IsHousekeeping(happened.Text),
        TraceKind.Note => !happened.Text.StartsWith("Witness", StringComparison.Ordinal),
        _ => true,
    };

    /// <summary>P and X publish, R and Y receive.</summary>
    private static int Side(string name) => name[..1] switch { "W" => 1, "R" or "Y" => 2, _ => 0 };

    /// <summary>Messages that one party sends at one instant leave from one point, those too that are lost at once.</summary>
    private static bool IsSameFan(in TraceEvent before, in TraceEvent happened) =>
        Sender(before) is var sender and >= 0 && sender == Sender(happened);

    private static int Sender(in TraceEvent happened) => happened.Kind switch { TraceKind.Send => happened.Party, TraceKind.Drop => happened.Other, _ => -1 };

    private void Place(IReadOnlyList<TraceEvent> events)
    {
        double y = Top;
        TraceEvent before = default;
        bool isFirst = true;
        foreach (int index in Shown)
        {
            TraceEvent happened = events[index];
            long gap = happened.At - before.At;
            if (isFirst || gap > 0 || !IsSameFan(before, happened))
            {
                y += Math.Min(StepMax, StepMin + (4 * Math.Log10(1 + (gap / 50_000.0))));
                if (gap > GapWorthAWord && !isFirst)
                {
                    Gaps.Add((y - 4, gap));
                    y += 18;
                }
            }

            if (happened.Kind is TraceKind.Heal or TraceKind.Violation)
            {
                y += 16;
            }

            _y[index] = y;
            (before, isFirst) = (happened, false);
        }

        Height = y + 90;
    }
}
