using System.Security.Cryptography;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Bench.Faults;

/// <summary>What a hostile witness sends, made beforehand: sending costs it next to nothing, judging it costs the others.</summary>
internal sealed class Junk
{
    /// <summary>More than a verifier remembers, so that each is verified every time that it comes.</summary>
    private const int Count = 8 * 1024;

    private readonly AcksFrame[] _acks;
    private int _next;

    private Junk(AcksFrame[] acks, byte[] certificate)
    {
        _acks = acks;
        Certificate = certificate;
    }

    /// <summary>A certificate of which no signature holds but our own.</summary>
    public ReadOnlyMemory<byte> Certificate { get; }

    /// <param name="cluster">Whose acks to make.</param>
    /// <param name="self">The witness that we are.</param>
    /// <param name="signer">Its key.</param>
    /// <param name="run">A run of this witness that its peers know: from an unknown one they would conclude that it lost its memory (W9), and it is to be honest again later.</param>
    /// <param name="isGarbled">Roots that nobody signed, and bytes that are no acks. Else each is signed, for a root and a stream that nobody knows: it has to be verified to learn that it is worth nothing, and proves no fault.</param>
    public static Junk Make(ClusterFile cluster, WitnessIndex self, ISigner signer, Run run, bool isGarbled)
    {
        AcksFrame[] acks = [.. Enumerable.Range(0, Count).Select(index => new AcksFrame(isGarbled && index % 2 == 0 ? RandomNumberGenerator.GetBytes(256) : Ack().Encode()))];
        AckBundle own = Ack();
        BatchRef batch = own.Leaves[0].Statement.Batch;
        return new Junk(acks, new QuorumCertificate(batch, Epoch.Zero, [.. Enumerable.Range(0, cluster.Committee.Size.Quorum).Select(EntryOf)]).Bytes.ToArray());

        AckBundle Ack()
        {
            AckStatement claim = new(new BatchRef(new StreamId(Random()), Sequence.Zero, Random()), Sequence.Zero);
            MerkleTree tree = new([claim.LeafHash(cluster.Committee.Cluster, Epoch.Zero)]);
            AckRootStatement root = new(cluster.Committee.Cluster, Epoch.Zero, self, run, new Mark(1), 1, tree.Root);
            return new AckBundle(root, isGarbled ? Unsigned() : root.Sign(signer), [new AckLeaf(claim, 0, [])]);
        }

        CertificateEntry EntryOf(int witness) => new(new WitnessIndex(witness), Sequence.Zero, 0, [], run, new Mark(1), 1, Unsigned());
    }

    /// <summary>The next of them, round and round.</summary>
    public AcksFrame Next() => _acks[(int)((uint)Interlocked.Increment(ref _next) % Count)];

    private static Digest Random() => new(RandomNumberGenerator.GetBytes(Digest.Length));

    private static Signature Unsigned() => new(RandomNumberGenerator.GetBytes(Signature.Length));
}
