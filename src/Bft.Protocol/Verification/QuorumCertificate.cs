using System.Diagnostics.CodeAnalysis;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;

namespace Bft.Protocol.Verification;

/// <summary>One witness's ack inside a certificate.</summary>
public sealed record CertificateEntry(
    WitnessIndex Witness, Sequence Base, int LeafIndex, IReadOnlyList<Digest> Path, Run Run, Mark Mark, int LeafCount, Signature Signature)
{
    public static CertificateEntry From(VerifiedAck ack)
    {
        ArgumentNullException.ThrowIfNull(ack);
        AckRootStatement root = ack.Root.Statement;
        return new CertificateEntry(root.Witness, ack.Base, ack.Leaf.LeafIndex, ack.Leaf.Path, root.Run, root.Mark, root.LeafCount, ack.Root.Signature);
    }

    internal AckLeaf ToLeaf(BatchRef batch) => new(new AckStatement(batch, Base), LeafIndex, Path);
}

/// <summary>A batch reference and a quorum of acks for it. Provable offline, by <see cref="AckVerifier"/>.</summary>
/// <remarks>It covers the slots from the highest base among its acks to its own: each ack claims its batch's ancestors down to its base.</remarks>
public sealed class QuorumCertificate
{
    private const byte Version = 1;
    private const int HeadLength = 1 + Digest.Length + 8 + Digest.Length + 4 + 1;
    private const int EntryFixedLength = 1 + 8 + 4 + 4 + 8 + 8 + Signature.Length + 1;

    private IReadOnlyList<CertificateEntry>? _entries; // null once packed

    /// <summary>Largest encoding: 64 witnesses with the longest path. Unit: bytes.</summary>
    public const int LengthMax = HeadLength + (CommitteeSize.Max * (EntryFixedLength + (FormatLimits.AckPathMax * Digest.Length)));

    /// <summary>What a witness's ack takes in it where group commits hold some hundred acks. Unit: bytes.</summary>
    internal const int EntryLengthUsual = EntryFixedLength + (8 * Digest.Length);

    /// <param name="batch">The batch that every entry acks.</param>
    /// <param name="epoch">The epoch of every entry.</param>
    /// <param name="entries">In the order of their witnesses.</param>
    public QuorumCertificate(BatchRef batch, Epoch epoch, IReadOnlyList<CertificateEntry> entries)
        : this(batch, epoch, entries, null)
    {
    }

    private QuorumCertificate(BatchRef batch, Epoch epoch, IReadOnlyList<CertificateEntry> entries, byte[]? bytes)
    {
        Batch = batch;
        Epoch = epoch;
        _entries = entries;
        Base = entries.Max(entry => entry.Base);
        Bytes = bytes ?? Encode();
    }

    public BatchRef Batch { get; }

    public Epoch Epoch { get; }

    /// <summary>In the order of their witnesses.</summary>
    public IReadOnlyList<CertificateEntry> Entries => _entries ?? EntriesOf(Bytes.Span);

    /// <summary>The lowest slot covered.</summary>
    public Sequence Base { get; }

    /// <summary>The encoding; layout in docs/wire.md.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    public bool Covers(Sequence sequence) => Base <= sequence && sequence <= Batch.Sequence;

    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out QuorumCertificate? certificate)
    {
        certificate = null;
        StatementReader reader = new(bytes);
        if (TryRead(ref reader, out BatchRef batch, out Epoch epoch) is not { } entries)
        {
            return false;
        }

        certificate = new QuorumCertificate(batch, epoch, entries, bytes.ToArray());
        return true;
    }

    /// <summary>Keeps the bytes alone: a certificate that is kept for long, one of very many, is half as large so. Its entries are read again whenever they are asked for.</summary>
    internal void Pack() => _entries = null;

    private static CertificateEntry[] EntriesOf(ReadOnlySpan<byte> bytes)
    {
        StatementReader reader = new(bytes);
        return TryRead(ref reader, out _, out _) ?? throw new InvalidOperationException("A certificate that was encoded or parsed here cannot be read again.");
    }

    private static CertificateEntry[]? TryRead(ref StatementReader reader, out BatchRef batch, out Epoch epoch)
    {
        reader.Require(reader.U8() == Version);
        batch = reader.BatchRef();
        epoch = new(reader.U32());
        int count = reader.U8();
        if (reader.IsFailed || count is 0 or > CommitteeSize.Max)
        {
            return null;
        }

        CertificateEntry[] entries = new CertificateEntry[count];
        int last = -1;
        for (int i = 0; i < count; i++)
        {
            int witness = reader.U8();
            Sequence @base = reader.Sequence();
            int leafIndex = reader.Count(FormatLimits.AckLeavesMax - 1);
            int leafCount = reader.Count(FormatLimits.AckLeavesMax);
            Run run = new(reader.U64());
            Mark mark = new(reader.U64());
            Signature signature = reader.Signature();
            Digest[] path = reader.Path();

#if PLANTED
            last -= Planted.Is("signer-uniqueness") ? 1 : 0;
#endif

            // One set of acks has one order.
            if (reader.IsFailed || witness <= last || witness >= CommitteeSize.Max)
            {
                return null;
            }

            last = witness;
            entries[i] = new CertificateEntry(new WitnessIndex(witness), @base, leafIndex, path, run, mark, leafCount, signature);
        }

        return reader.IsComplete ? entries : null;
    }

    private byte[] Encode()
    {
        byte[] bytes = new byte[HeadLength + Entries.Sum(entry => EntryFixedLength + (entry.Path.Count * Digest.Length))];
        StatementWriter writer = new(bytes);
        writer.U8(Version);
        writer.BatchRef(Batch);
        writer.U32(Epoch.Value);
        writer.U8(Entries.Count);
        foreach (CertificateEntry entry in Entries)
        {
            writer.U8(entry.Witness.Value);
            writer.U64(entry.Base.Value);
            writer.U32((uint)entry.LeafIndex);
            writer.U32((uint)entry.LeafCount);
            writer.U64(entry.Run.Value);
            writer.U64(entry.Mark.Value);
            writer.Signature(entry.Signature);
            writer.Path(entry.Path as Digest[] ?? [.. entry.Path]);
        }

        return bytes;
    }
}

/// <summary>A certificate each of whose acks was verified. Only <see cref="AckVerifier"/> and <c>AckCollector</c> make one.</summary>
public sealed class VerifiedCertificate
{
    internal VerifiedCertificate(QuorumCertificate certificate) => Certificate = certificate;

    public QuorumCertificate Certificate { get; }

    public BatchRef Batch => Certificate.Batch;

    public Sequence Base => Certificate.Base;

    /// <summary>Witnesses whose acks it carries.</summary>
    public int WitnessCount => Certificate.Entries.Count;

    public bool Covers(Sequence sequence) => Certificate.Covers(sequence);

    /// <summary>The ack of this witness that it carries; null when it carries none.</summary>
    public VerifiedAck? AckOf(WitnessIndex witness, Committee committee)
    {
        ArgumentNullException.ThrowIfNull(committee);
        if (Certificate.Entries.FirstOrDefault(entry => entry.Witness == witness) is not { } entry)
        {
            return null;
        }

        AckLeaf leaf = entry.ToLeaf(Batch);

        // It was verified, so its paths lead somewhere.
        Merkle.TryRootFromPath(leaf.Statement.LeafHash(committee.Cluster, Certificate.Epoch), (uint)entry.LeafIndex, (uint)entry.LeafCount, leaf.PathArray, out Digest root);
        AckRootStatement statement = new(committee.Cluster, Certificate.Epoch, witness, entry.Run, entry.Mark, entry.LeafCount, root);
        return new VerifiedAck(new VerifiedAckRoot(statement, entry.Signature), leaf);
    }

    public override string ToString() => $"{Batch} from {Base}";
}
