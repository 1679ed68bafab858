using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;

namespace Bft.Client.Tests.Support;

/// <summary>Bodies of which it can be told whether they were given back.</summary>
internal static class SharedBodies
{
    /// <summary>The same batch with a body that is owned.</summary>
    public static VerifiedBatch Owned(TestCluster cluster, VerifiedBatch batch)
    {
        SharedBody body = SharedBody.Rent(batch.Body.Length);
        batch.Body.CopyTo(body.Memory);
        return cluster.Batches.TryVerifyBody(batch.Statement, body.Memory, body, out VerifiedBatch? owned, out _) ? owned : throw new InvalidOperationException("Not its body.");
    }

    public static bool IsGivenBack(SharedBody body)
    {
        try
        {
            return body.Memory.Length < 0;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }
}
