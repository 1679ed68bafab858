using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Node.Tests.Support;

/// <summary>Reads a subscription and believes nothing: certificate, statements, bodies.</summary>
internal sealed class TestReader(LocalCluster cluster, TestCall<ISubscribeRequest, ISubscribeReply> call)
{
    private readonly RangeVerifier _ranges = new(
        new AckVerifier(cluster.Committee, Ed25519.Instance, NodeLimits.Default.RememberedRootsMax),
        new BatchVerifier(cluster.Committee.Cluster, cluster.File.Limits, Ed25519.Instance));

    private readonly Dictionary<Slot, VerifiedStatement> _statements = [];

    /// <summary>The next body, whose statement a certificate covers.</summary>
    public async Task<(Slot Slot, byte[] Body)> NextAsync()
    {
        while (await call.NextAsync() is { } frame)
        {
            switch (frame)
            {
                case CertifiedFrame certified:
                    Assert.True(_ranges.TryVerify(certified, out _, out VerifiedStatement[] statements, out RejectReason reason), reason.ToString());
                    foreach (VerifiedStatement statement in statements)
                    {
                        _statements.Add(statement.Reference.Slot, statement);
                    }

                    break;
                case BodyFrame body:
                    Assert.True(_statements.Remove(body.Slot, out VerifiedStatement? covered), $"{body.Slot} came without its statement.");
                    Assert.Equal(covered.Statement.Body.Length, body.Body.Length);
                    return (body.Slot, body.Body.ToArray());
                default:
                    throw new InvalidOperationException($"Unexpected {frame}.");
            }
        }

        throw new InvalidOperationException("The subscription ended.");
    }
}
