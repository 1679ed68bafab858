using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Roles;

/// <summary>Signs one root for all acks of a group commit.</summary>
internal sealed class AckSigner(Committee committee, WitnessIndex self, ISigner signer)
{
    /// <summary>Puts statements under one signed root; at most <see cref="FormatLimits.AckLeavesMax"/>, at least one.</summary>
    /// <returns>The acks in the order of the statements.</returns>
    public VerifiedAck[] Sign(ReadOnlySpan<AckStatement> statements, Run run, Mark mark)
    {
        Digest[] leaves = new Digest[statements.Length];
        for (int i = 0; i < leaves.Length; i++)
        {
            leaves[i] = statements[i].LeafHash(committee.Cluster, committee.Epoch);
        }

        MerkleTree tree = new(leaves);
        AckRootStatement statement = new(committee.Cluster, committee.Epoch, self, run, mark, leaves.Length, tree.Root);
        VerifiedAckRoot root = new(statement, statement.Sign(signer));
        VerifiedAck[] acks = new VerifiedAck[leaves.Length];
        for (int i = 0; i < acks.Length; i++)
        {
            acks[i] = new VerifiedAck(root, new AckLeaf(statements[i], i, tree.PathOf(i)));
        }

        return acks;
    }
}
