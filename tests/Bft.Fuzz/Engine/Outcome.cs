namespace Bft.Fuzz;

/// <summary>What a decoder made of an input: the stand-in for coverage. An input that gives a new one is kept and changed further.</summary>
/// <param name="IsAccepted">It was taken for what it claims to be.</param>
/// <param name="Shape">What it was, or why not: kinds, reasons, magnitudes of counts and lengths.</param>
internal readonly record struct Outcome(bool IsAccepted, ulong Shape)
{
    public static Outcome Rejected(int reason = 0) => new(IsAccepted: false, (ulong)reason);

    public static Outcome Rejected(string reason) => Of(false).With(reason);

    public static Outcome Accepted => Of(true);

    public Outcome With(ulong fact)
    {
        unchecked
        {
            // FNV-1a (Fowler, Noll, Vo), a word at a time.
            return this with { Shape = (Shape ^ fact) * 0x100000001B3 };
        }
    }

    public Outcome With(string fact)
    {
        Outcome outcome = this;
        foreach (char character in fact)
        {
            outcome = outcome.With(character);
        }

        return outcome;
    }

    /// <summary>A count or a length: only its magnitude makes a new shape.</summary>
    public Outcome Sized(long count) => With(count < 4 ? (ulong)count : 64 - ulong.LeadingZeroCount((ulong)count) + 4);

    private static Outcome Of(bool isAccepted) => new(isAccepted, 0xCBF29CE484222325);
}
