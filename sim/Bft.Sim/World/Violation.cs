namespace Bft.Sim;

/// <summary>A property that did not hold.</summary>
/// <param name="Checker">Whose: "consistency", "durability", …</param>
/// <param name="Text">What was seen, with names of parties and slots.</param>
/// <param name="At">Virtual time. Unit: nanoseconds.</param>
/// <param name="Parties">Who is concerned: indices into the run's parties.</param>
public sealed record Violation(string Checker, string Text, long At, IReadOnlyList<int> Parties);
