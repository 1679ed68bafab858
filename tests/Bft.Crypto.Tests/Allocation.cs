namespace Bft.Crypto.Tests;

internal static class Allocation
{
    /// <summary>Bytes that one run allocates on this thread, once a first has set up what is kept.</summary>
    public static long Of(Action action)
    {
        action();
        long before = GC.GetAllocatedBytesForCurrentThread();
        action();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
