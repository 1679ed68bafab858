using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Tests.Support;

/// <summary>A committee with its keys. What it makes is really signed and really verified; the same each time.</summary>
public sealed class TestCluster : IDisposable
{
    private readonly Ed25519Signer[] _witnesses;
    private ulong _mark;

    public TestCluster(int witnesses = 4, ClusterLimits? limits = null, string name = "test")
    {
        _witnesses = [.. Enumerable.Range(0, witnesses).Select(index => SignerOf('w', index))];
        Genesis = new Genesis(name, new byte[Genesis.NonceLength], _witnesses.Select(signer => signer.PublicKey), limits ?? ClusterLimits.Default);
        Committee = Genesis.Committee;
        Batches = new BatchVerifier(Committee.Cluster, Committee.Limits, Ed25519.Instance);
        Acks = new AckVerifier(Committee, Ed25519.Instance, NodeLimits.Default.RememberedRootsMax);
    }

    public Genesis Genesis { get; }

    public Committee Committee { get; }

    public BatchVerifier Batches { get; }

    public AckVerifier Acks { get; }

    public CommitteeSize Size => Committee.Size;

    /// <summary>The witnesses that make a quorum, from 0.</summary>
    public int[] Quorum => [.. Enumerable.Range(0, Size.Quorum)];

    /// <summary>A key that depends on nothing but these two.</summary>
    public static Ed25519Signer SignerOf(char kind, int index)
    {
        Span<byte> seed = stackalloc byte[Ed25519Signer.SeedLength];
        seed[0] = (byte)kind;
        seed[1] = (byte)index;
        return new Ed25519Signer(seed);
    }

    public Ed25519Signer SignerOf(WitnessIndex witness) => _witnesses[witness.Value];

    /// <summary>A stream of the publisher with this number.</summary>
    public TestStream Stream(int publisher = 0, string topic = "orders", ulong incarnation = 1) => new(this, SignerOf('p', publisher), topic, incarnation);

    /// <summary>An unverified bundle: one root over these leaves, under a mark of its own.</summary>
    public AckBundle Bundle(int witness, params AckStatement[] leaves) => Bundle(witness, new Run(1), new Mark(++_mark), leaves);

    public AckBundle Bundle(int witness, Run run, Mark mark, params AckStatement[] leaves)
    {
        MerkleTree tree = new([.. leaves.Select(leaf => leaf.LeafHash(Committee.Cluster, Committee.Epoch))]);
        AckRootStatement root = new(Committee.Cluster, Committee.Epoch, new WitnessIndex(witness), run, mark, leaves.Length, tree.Root);
        return new AckBundle(root, root.Sign(_witnesses[witness]), [.. leaves.Select((leaf, index) => new AckLeaf(leaf, index, tree.PathOf(index)))]);
    }

    public VerifiedAck[] Verify(AckBundle bundle) =>
        Acks.TryVerify(bundle, out VerifiedAck[]? acks, out RejectReason reason) ? acks : throw new InvalidOperationException($"Refused: {reason}.");

    /// <summary>One witness's ack of one batch, reaching down to <paramref name="from"/> (default: the batch's own slot).</summary>
    public VerifiedAck Ack(int witness, BatchRef batch, ulong? from = null) =>
        Verify(Bundle(witness, new AckStatement(batch, new Sequence(from ?? batch.Sequence.Value))))[0];

    /// <summary>A certificate that covers from <paramref name="from"/> (default: the batch's own slot), by these witnesses (default: the first quorum).</summary>
    public VerifiedCertificate Certify(BatchRef batch, ulong? from = null, params int[] witnesses)
    {
        int[] signers = witnesses.Length == 0 ? Quorum : [.. witnesses.Order()];
        QuorumCertificate certificate = new(batch, Committee.Epoch, [.. signers.Select(witness => CertificateEntry.From(Ack(witness, batch, from)))]);
        return Acks.TryVerify(certificate, out VerifiedCertificate? verified, out RejectReason reason) ? verified : throw new InvalidOperationException($"Refused: {reason}.");
    }

    public void Dispose()
    {
        foreach (Ed25519Signer signer in _witnesses)
        {
            signer.Dispose();
        }
    }
}
