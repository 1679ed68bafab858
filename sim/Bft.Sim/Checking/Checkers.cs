namespace Bft.Sim;

/// <summary>All properties, in the order of their exit codes.</summary>
internal static class Checkers
{
    /// <summary>Exit code of the first checker's violations; the next one's is one more, and so on.</summary>
    public const int FirstExitCode = 10;

    private static readonly string[] Names = [.. All().Select(checker => checker.Name)];

    /// <summary>New ones, for one run.</summary>
    public static IReadOnlyList<Checker> All() =>
    [
        new Consistency(),
        new Integrity(),
        new Validity(),
        new Totality(),
        new Order(),
        new NoDuplication(),
        new Durability(),
        new HonestEquivocation(),
        new CertificateValidity(),
        new Bounded(),
        new Accountability(),
        new NoCrash(),
        new FreshAcks(),
    ];

    /// <exception cref="ArgumentException">There is no such checker.</exception>
    public static int ExitCodeOf(string name) => Array.IndexOf(Names, name) is var index and >= 0
        ? FirstExitCode + index
        : throw new ArgumentException($"There is no checker '{name}'.", nameof(name));

#if PLANTED
    /// <summary>For each checker a falsified report that only it must see.</summary>
    public static IReadOnlyList<string> Canaries => [.. Names.Select(name => "canary-" + name)];
#endif
}
