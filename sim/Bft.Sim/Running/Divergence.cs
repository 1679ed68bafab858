namespace Bft.Sim;

/// <summary>Where two runs of one request part: nothing may decide a run but its seed and plan.</summary>
internal static class Divergence
{
    /// <summary>As a checker's name in reports.</summary>
    public const string Checker = "nondeterminism";

    private const int EventsBefore = 3;

    /// <summary>Performs a request again, and compares.</summary>
    /// <returns>What differs; null when nothing does.</returns>
    public static Violation? Of(RunResult first, Func<RunRequest, bool, RunResult> perform)
    {
        RunResult second = perform(first.Request, false);
        return first.Hash == second.Hash && first.Violation?.Text == second.Violation?.Text
            ? null
            : new Violation(Checker, Describe(perform(first.Request, true), perform(first.Request, true), first.Hash, second.Hash), 0, []);
    }

    /// <summary>The first line of two logs that differs, with a few before it, side by side; null when all are the same.</summary>
    public static string? Between(IReadOnlyList<string> left, IReadOnlyList<string> right)
    {
        int at = 0;
        while (at < left.Count && at < right.Count && left[at] == right[at])
        {
            at++;
        }

        return at == left.Count && at == right.Count
            ? null
            : string.Join('\n', [
                $"the first difference is at line {at + 1}:",
                .. left.Take(at).TakeLast(EventsBefore).Select(line => $"  both    {line}"),
                $"  first   {(at < left.Count ? left[at] : "(the end)")}",
                $"  second  {(at < right.Count ? right[at] : "(the end)")}",
            ]);
    }

    private static string Describe(RunResult left, RunResult right, string firstHash, string secondHash) =>
        $"hash {firstHash}, then {secondHash}; "
        + (Between(Log(left), Log(right)) ?? "two more runs with a log wrote the same lines: what differs is not in the text, or not always there");

    private static string[] Log(RunResult result) => [.. LogText.Lines(result)];
}
