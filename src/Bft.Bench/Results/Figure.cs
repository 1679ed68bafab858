namespace Bft.Bench.Results;

/// <summary>One number of a measurement.</summary>
/// <param name="Name">In JSON; stable.</param>
/// <param name="Label">For people, with the unit.</param>
/// <param name="Value">The number.</param>
/// <param name="Format">How people see it; a numeric format string.</param>
public readonly record struct Figure(string Name, string Label, double Value, string Format = "N0");
