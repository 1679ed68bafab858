namespace Bft.Sim;

/// <summary>After ddmin (Zeller, Hildebrandt: Simplifying and Isolating Failure-Inducing Input, 2002): a part that still fails and from which no single item can go.</summary>
internal static class DeltaDebugging
{
    /// <summary>Minimises.</summary>
    /// <param name="items">All, which fail together.</param>
    /// <param name="stillFails">Whether these alone fail. It may say no because it has run long enough; what was reached is kept.</param>
    /// <returns>What is left, in the given order.</returns>
    public static List<T> Minimise<T>(IReadOnlyList<T> items, Func<IReadOnlyList<T>, bool> stillFails)
    {
        List<T> kept = [.. items];
        if (kept.Count == 0 || stillFails([]))
        {
            return [];
        }

        int size = kept.Count;
        bool isSmaller;
        do
        {
            isSmaller = false;
            size = Math.Max(1, size / 2);
            for (int from = 0; from < kept.Count && kept.Count > 1;)
            {
                List<T> rest = [.. kept.Take(from), .. kept.Skip(from + size)];
                if (rest.Count > 0 && stillFails(rest))
                {
                    kept = rest;
                    isSmaller = true;
                }
                else
                {
                    from += size;
                }
            }
        }
        while (size > 1 || isSmaller);

        return kept;
    }
}
