using Bft.Protocol.Verification;

namespace Bft.Protocol.Witnessing;

/// <summary>What waits for one group commit. Nothing of it is visible outside before that commit is durable (W1, W7).</summary>
internal sealed class CommitGroup
{
    /// <summary>Acks to put under the group's root.</summary>
    public List<(StreamWitness Stream, AckStatement Statement)> Acks { get; } = [];

    /// <summary>Certificates whose durability raises a tip.</summary>
    public List<(StreamWitness Stream, VerifiedCertificate Certificate)> Tips { get; } = [];
}
