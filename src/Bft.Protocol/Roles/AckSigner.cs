using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Protocol.Roles;

/// <summary>Signs one root for all acks of a group commit.</summary>
internal sealed class AckSigner(Committee committee, WitnessIndex self, ISigner signer)
{
    /// <summary>Signs durable acks, as many under one root as may be, and tells them to their publishers and to all peers.</summary>
    /// <returns>The acks in the order of the statements.</returns>
    public List<VerifiedAck> Sign(List<(StreamWitness Stream, AckStatement Statement)> durable, Run run, Mark mark, WitnessEffects effects)
    {
        List<VerifiedAck> all = new(durable.Count);
        foreach ((StreamWitness Stream, AckStatement Statement)[] part in durable.Chunk(FormatLimits.AckLeavesMax))
        {
            VerifiedAck[] signed = Sign(part, run, mark);
            VerifiedAckRoot root = signed[0].Root;
            effects.PeerAcks.Add(new AckBundle(root.Statement, root.Signature, [.. signed.Select(ack => ack.Leaf)]));
            foreach (IGrouping<PublicKey, VerifiedAck> own in signed.Zip(part).GroupBy(pair => pair.Second.Stream.Header!.Publisher, pair => pair.First))
            {
                effects.PublisherAcks.Add(new PublisherAcks(own.Key, new AckBundle(root.Statement, root.Signature, [.. own.Select(ack => ack.Leaf)])));
            }

            all.AddRange(signed);
        }

        return all;
    }

    private VerifiedAck[] Sign((StreamWitness Stream, AckStatement Statement)[] claims, Run run, Mark mark)
    {
        MerkleTree tree = new([.. claims.Select(claim => claim.Statement.LeafHash(committee.Cluster, committee.Epoch))]);
        AckRootStatement statement = new(committee.Cluster, committee.Epoch, self, run, mark, claims.Length, tree.Root);
        VerifiedAckRoot root = new(statement, statement.Sign(signer));
        return [.. claims.Select((claim, index) => new VerifiedAck(root, new AckLeaf(claim.Statement, index, tree.PathOf(index))))];
    }
}
