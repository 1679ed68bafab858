namespace Bft.Bench.Results;

/// <summary>One figure beside what was published of it.</summary>
/// <param name="Figure">Its name.</param>
/// <param name="Label">For people.</param>
/// <param name="Format">How people see its values.</param>
/// <param name="Published">Then.</param>
/// <param name="Measured">Now.</param>
/// <param name="IsMoreBetter">Else less is.</param>
public sealed record Comparison(string Figure, string Label, string Format, double Published, double Measured, bool IsMoreBetter)
{
    /// <summary>What may be lost before it counts.</summary>
    public const double LossMax = 0.1;

    /// <summary>Now, of then.</summary>
    public double Ratio => Measured / Published;

    /// <summary>More than <see cref="LossMax"/> was lost: a rate fell, or a time or a cost rose, by so much.</summary>
    public bool IsLoss => IsMoreBetter ? Ratio < 1 - LossMax : Ratio > 1 + LossMax;

    /// <summary>The figures of a case that can be better or worse, and were published.</summary>
    public static IEnumerable<Comparison> Of(BenchCase measured, BenchCase published)
    {
        ArgumentNullException.ThrowIfNull(measured);
        ArgumentNullException.ThrowIfNull(published);
        foreach (Figure figure in measured.Figures)
        {
            if (double.IsFinite(figure.Value) && IsMoreBetterIn(figure.Name) is { } isMoreBetter && Results.Published.ValueOf(published, figure.Name) is { } before and > 0)
            {
                yield return new Comparison(figure.Name, figure.Label, figure.Format, before, figure.Value, isMoreBetter);
            }
        }
    }

    /// <summary>Null for parameters, counts, and what says more of the machine or of chance than of us: floors, maxima, p90 and p99.9, pauses.</summary>
    internal static bool? IsMoreBetterIn(string name) => name switch
    {
        "ratePerSecond" or "transportPerSecond" or "lightPerSecond" => null,
        "ofTransport" or "ofLight" or "ofTransportCpu" or "ofLightCpu" => true,
        _ when name.StartsWith("gcPause", StringComparison.Ordinal) || name.Contains("WithoutFault", StringComparison.Ordinal) => null,
        _ when name.Contains("PerSecond", StringComparison.Ordinal) => true,
        "readySeconds" or "levelSeconds" or "wireBytesPerMessage" or "diskBytesPerMessagePerWitness" or "residentBytesPerStream" or "receiptBytes" => false,
        _ when name.StartsWith("cpuSeconds", StringComparison.Ordinal) || name.StartsWith("peakMebibytes", StringComparison.Ordinal) || name.StartsWith("allocatedBytes", StringComparison.Ordinal) => false,
        _ when name.Contains("MillisecondsP50", StringComparison.Ordinal) || name.EndsWith("MillisecondsP99", StringComparison.Ordinal) || name.EndsWith("MillisecondsP99WithFault", StringComparison.Ordinal) => false,
        _ => null,
    };
}
