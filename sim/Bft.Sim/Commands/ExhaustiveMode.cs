namespace Bft.Sim;

/// <summary>`--profile exhaustive`: the small scope, searched whole.</summary>
internal static class ExhaustiveMode
{
    public static Task<int> RunAsync(SimInvocation sim) => throw new CommandException(ExitCode.Usage, "this build has no exhaustive search.");
}
