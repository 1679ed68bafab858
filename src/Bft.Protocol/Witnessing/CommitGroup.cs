using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Witnessing;

/// <summary>What waits for one group commit. Nothing of it is visible outside before that commit is durable (W1, W7).</summary>
internal sealed class CommitGroup
{
    /// <summary>Acks to put under the group's root.</summary>
    public List<(StreamWitness Stream, AckStatement Statement)> Acks { get; } = [];

    /// <summary>W3: another batch came for a slot acked here; the answer shows the ack.</summary>
    public List<(StreamWitness Stream, Sequence Sequence)> Conflicts { get; } = [];

    /// <summary>W2: an ack of an earlier group, asked for again.</summary>
    public List<(StreamWitness Stream, Sequence Sequence)> Repeats { get; } = [];

    /// <summary>Certificates whose durability raises a tip.</summary>
    public List<(StreamWitness Stream, VerifiedCertificate Certificate)> Tips { get; } = [];

    public bool IsEmpty => Acks.Count + Conflicts.Count + Repeats.Count + Tips.Count == 0;
}
