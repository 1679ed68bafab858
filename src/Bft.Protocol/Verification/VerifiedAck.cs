using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;

namespace Bft.Protocol.Verification;

/// <summary>An ack root whose signature was verified.</summary>
public sealed class VerifiedAckRoot
{
    internal VerifiedAckRoot(AckRootStatement statement, Signature signature)
    {
        Statement = statement;
        Signature = signature;
    }

    public AckRootStatement Statement { get; }

    public Signature Signature { get; }
}

/// <summary>An ack whose path leads to a verified root. Only <see cref="AckVerifier"/> and a witness's own signing make one.</summary>
public sealed class VerifiedAck
{
    internal VerifiedAck(VerifiedAckRoot root, AckLeaf leaf)
    {
        Root = root;
        Leaf = leaf;
    }

    public VerifiedAckRoot Root { get; }

    public AckLeaf Leaf { get; }

    public WitnessIndex Witness => Root.Statement.Witness;

    public BatchRef Batch => Leaf.Statement.Batch;

    public Sequence Base => Leaf.Statement.Base;

    /// <summary>This ack alone, as it travels.</summary>
    public AckBundle ToBundle() => new(Root.Statement, Root.Signature, [Leaf]);

    public override string ToString() => $"{Batch} by {Witness} from {Base}";
}
