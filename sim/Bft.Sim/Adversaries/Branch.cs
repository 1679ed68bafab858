using Bft.Protocol.Bodies;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>A chain of an equivocator's batches in one stream; several share a beginning.</summary>
/// <param name="Header">The stream.</param>
/// <param name="Side">To whom it is shown: 0 or 1 of <see cref="Sides"/>, or both.</param>
internal sealed record Branch(StreamHeader Header, int Side)
{
    public List<VerifiedBatch> Batches { get; init; } = [];

    /// <summary>What its first batch follows.</summary>
    public Ancestor Start { get; init; }

    public Sequence End => new((ulong)Batches.Count);

    public VerifiedBatch this[Sequence slot] => Batches[(int)slot.Value];

    /// <summary>Signs one more batch.</summary>
    public VerifiedBatch Extend(SimulatedCluster cluster, Party publisher, byte[] payload)
    {
        BatchStatement statement = BatchStatement.Create(Header, End, Batches.Count == 0 ? Start : Ancestor.Previous(Batches[^1].Digest), BodyOf(cluster, payload, out byte[] body));
        VerifiedBatch batch = BatchVerifier.Sign(statement, cluster.SignerOf(publisher), body, null);
        Batches.Add(batch);
        return batch;
    }

    /// <summary>Statements and batches that a certificate covers, as it is shown with them.</summary>
    public (CertifiedFrame Frame, IReadOnlyList<VerifiedBatch> Batches) Covered(QuorumCertificate certificate)
    {
        List<VerifiedBatch> covered = Batches.GetRange((int)certificate.Base.Value, (int)(certificate.Batch.Sequence.Value - certificate.Base.Value) + 1);
        return (new CertifiedFrame(certificate.Bytes, [.. covered.Select(batch => new SignedStatement(batch.Statement.Statement.Bytes, batch.Statement.Signature))]), covered);
    }

    public static BodyDescription BodyOf(SimulatedCluster cluster, byte[] payload, out byte[] body)
    {
        BodyBuilder builder = new(cluster.Committee.Limits);
        builder.TryAdd(new Message { Payload = payload });
        body = new byte[builder.BodyLength];
        return builder.Build(body);
    }
}
