using System.Text;
using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Bodies;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Sim.SmallScope;

/// <summary>A claim of an ack in this scope: a batch by its number, and a base.</summary>
internal readonly record struct Claim(int Batch, int Base);

/// <summary>All that can be sent in a scope, made and verified once: every batch, every ack of every witness, every certificate.</summary>
/// <remarks>
/// Acks and certificates are known by what they claim, not by the run, mark, root and signature under which they were signed: the rules
/// compare leaves and digests only (C2, W2). A certificate is known by batch and base; those are what a role reads of it (W5).
/// </remarks>
internal sealed class SmallWorld
{
    private readonly Dictionary<Digest, int> _batches = [];
    private readonly Dictionary<Claim, int> _claims = [];
    private readonly List<VerifiedBatch> _signed = [];
    private readonly List<VerifiedBatch> _covered = [];
    private readonly List<int> _parents = [];
    private readonly VerifiedAck[][] _acks;
    private readonly VerifiedCertificate[] _certificates;

    public SmallWorld(ExhaustiveOptions options)
    {
        Options = options;
        Witnesses = options.Witnesses;
        Correct = options.Witnesses - options.Byzantine;
        Faulty = (Witnesses - 1) / 3;
        Quorum = ((Witnesses + Faulty) / 2) + 1;
        ClusterLimits limits = new() { WindowSlots = options.Slots };
        Committee = new Genesis("small", new byte[Genesis.NonceLength], Enumerable.Range(0, Witnesses).Select(index => SmallSignatures.SignerOf(index).PublicKey), limits).Committee;
        BatchVerifier verifier = new(Committee.Cluster, limits, SmallSignatures.Instance);
        for (int chain = 0; chain < (options.Publisher == SmallPublisher.Forking ? 2 : 1); chain++)
        {
            MakeChain(verifier, chain);
        }

        List<Claim> claims = [];
        for (int batch = 0; batch < Batches; batch++)
        {
            for (int from = SlotOf(batch); from >= 0; from--)
            {
                _claims[new Claim(batch, from)] = claims.Count;
                claims.Add(new Claim(batch, from));
            }
        }

        Claims = claims;
        _acks = [.. Enumerable.Range(0, Witnesses).Select(witness => claims.Select(claim => Ack(witness, claim)).ToArray())];
        AckVerifier acks = new(Committee, SmallSignatures.Instance, rememberedRootsMax: 64);
        _certificates = [.. Enumerable.Range(0, claims.Count).Select(claim => Certificate(acks, claim))];
        Inputs = new SmallInputs(this);
    }

    public ExhaustiveOptions Options { get; }

    public Committee Committee { get; }

    public int Witnesses { get; }

    /// <summary>The first so many witnesses are correct.</summary>
    public int Correct { get; }

    /// <summary>f, by this file's own arithmetic, so that a wrong one in the product does not excuse itself.</summary>
    public int Faulty { get; }

    /// <summary>⌊(n + f) / 2⌋ + 1, the same.</summary>
    public int Quorum { get; }

    public int Batches => _signed.Count;

    public IReadOnlyList<Claim> Claims { get; }

    public SmallInputs Inputs { get; }

    public VerifiedBatch Signed(int batch) => _signed[batch];

    /// <summary>As a peer serves it: a certificate stands in for the publisher's signature (S1).</summary>
    public VerifiedBatch Covered(int batch) => _covered[batch];

    public VerifiedAck AckOf(int witness, int claim) => _acks[witness][claim];

    public VerifiedCertificate CertificateOf(int claim) => _certificates[claim];

    public int SlotOf(int batch) => (int)_signed[batch].Sequence.Value;

    public int? BatchOf(BatchRef reference) => _batches.TryGetValue(reference.Digest, out int batch) ? batch : null;

    /// <summary>The number of a claim; null when no party of this scope could make it.</summary>
    public int? ClaimOf(BatchRef reference, Sequence from) =>
        BatchOf(reference) is { } batch && _claims.TryGetValue(new Claim(batch, (int)Math.Min(from.Value, 64)), out int claim) ? claim : null;

    /// <summary>The batch that a chain has in a slot at or below its top.</summary>
    public int AncestorAt(int batch, int slot)
    {
        while (SlotOf(batch) > slot)
        {
            batch = _parents[batch];
        }

        return batch;
    }

    /// <summary>The batches that a claim is about, its own last.</summary>
    public IEnumerable<int> BatchesOf(int claim) =>
        Enumerable.Range(Claims[claim].Base, SlotOf(Claims[claim].Batch) - Claims[claim].Base + 1).Select(slot => AncestorAt(Claims[claim].Batch, slot));

    /// <summary>Both cannot be true of one stream.</summary>
    public bool AreOnOneChain(int one, int other) =>
        SlotOf(one) <= SlotOf(other) ? AncestorAt(other, SlotOf(one)) == one : AncestorAt(one, SlotOf(other)) == other;

    /// <summary>No slot has two batches by them: an honest witness may make both.</summary>
    public bool AreCompatible(int claim, int other)
    {
        int from = Math.Max(Claims[claim].Base, Claims[other].Base);
        int top = Math.Min(SlotOf(Claims[claim].Batch), SlotOf(Claims[other].Batch));
        return from > top || AncestorAt(Claims[claim].Batch, top) == AncestorAt(Claims[other].Batch, top);
    }

    public string NameOf(int batch) => $"{(batch < Options.Slots ? 'a' : 'b')}{SlotOf(batch)}";

    public string NameOfClaim(int claim) => $"{NameOf(Claims[claim].Batch)} from {Claims[claim].Base}";

    private void MakeChain(BatchVerifier verifier, int chain)
    {
        ISigner publisher = SmallSignatures.SignerOf(Witnesses);
        StreamHeader header = new(Committee.Cluster, publisher.PublicKey, new Topic("small"), new Incarnation(1, 1));
        Ancestor ancestor = Ancestor.None;
        for (int slot = 0; slot < Options.Slots; slot++)
        {
            BodyBuilder builder = new(Committee.Limits);
            builder.TryAdd(new Message(Encoding.ASCII.GetBytes($"{chain}.{slot}")));
            byte[] body = new byte[builder.BodyLength];
            BatchStatement statement = BatchStatement.Create(header, new Sequence((ulong)slot), ancestor, builder.Build(body));
            VerifiedBatch batch = BatchVerifier.Sign(statement, publisher, body, null);
            _batches[batch.Digest] = _signed.Count;
            _parents.Add(slot == 0 ? -1 : _signed.Count - 1);
            _signed.Add(batch);
            VerifiedBatch? unsigned = null;
            bool isVerified = verifier.TryVerifyCovered(statement.Bytes.Span, default, batch.Digest, out VerifiedStatement? covered, out _)
                && verifier.TryVerifyBody(covered, body, null, out unsigned, out _);
            _covered.Add(isVerified ? unsigned! : throw new InvalidOperationException("A body of our own was refused."));
            ancestor = Ancestor.Previous(batch.Digest);
        }
    }

    private VerifiedAck Ack(int witness, Claim claim)
    {
        AckStatement statement = new(_signed[claim.Batch].Reference, new Sequence((ulong)claim.Base));
        MerkleTree tree = new([statement.LeafHash(Committee.Cluster, Committee.Epoch)]);
        AckRootStatement root = new(Committee.Cluster, Committee.Epoch, new WitnessIndex(witness), new Protocol.Model.Run(1), new Mark(1), 1, tree.Root);
        AckVerifier verifier = new(Committee, SmallSignatures.Instance, rememberedRootsMax: 1);
        AckBundle bundle = new(root, root.Sign(SmallSignatures.SignerOf(witness)), [new AckLeaf(statement, 0, tree.PathOf(0))]);
        return verifier.TryVerify(bundle, out VerifiedAck[]? acks, out RejectReason reason) ? acks[0] : throw new InvalidOperationException($"An ack of our own was refused: {reason}.");
    }

    private VerifiedCertificate Certificate(AckVerifier verifier, int claim)
    {
        CertificateEntry[] entries = [.. _acks[^Quorum..].Select(acks => CertificateEntry.From(acks[claim]))];
        QuorumCertificate certificate = new(_signed[Claims[claim].Batch].Reference, Committee.Epoch, entries);
        return verifier.TryVerify(certificate, out VerifiedCertificate? verified, out RejectReason reason) ? verified : throw new InvalidOperationException($"A certificate of our own was refused: {reason}.");
    }
}
