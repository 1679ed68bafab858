using System.Buffers.Binary;
using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Storage;

namespace Bft.Client;

/// <summary>What a publisher's journal holds of its last incarnation.</summary>
internal sealed class PublisherReplay : IJournalReplay
{
    public const byte IncarnationKind = 1;
    public const byte BatchKind = 2;
    public const byte CertificateKind = 3;
    public const byte AbandonedKind = 4;

    private readonly SortedDictionary<Sequence, (BatchStatement Statement, Signature Signature, JournalPosition Body)> _batches = [];
    private readonly List<(byte[] Head, JournalPosition Body)> _unread = [];
    private readonly List<QuorumCertificate> _certificates = [];

    /// <summary>The last one; null when the journal is new.</summary>
    public Incarnation? Incarnation { get; private set; }

    /// <summary>The last incarnation is never continued: it was given up, or its end was torn (P7).</summary>
    public bool IsAbandoned { get; private set; }

    /// <summary>The highest one that was ever begun here.</summary>
    public Incarnation Highest { get; private set; }

    /// <summary>The journal's end was cut when it was opened.</summary>
    public void OnTorn() => IsAbandoned = true;

    public static void Write(Incarnation incarnation, Span<byte> head)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(head, incarnation.Counter);
        BinaryPrimitives.WriteUInt64LittleEndian(head[8..], incarnation.Random);
    }

    public void OnRecord(ulong mark, byte kind, ReadOnlySpan<byte> head, JournalPosition body)
    {
        switch (kind)
        {
            case IncarnationKind when head.Length != Protocol.Model.Incarnation.Length:
                throw new JournalDamageException(body, $"in commit {mark} an incarnation has {head.Length} bytes.");
            case IncarnationKind:
                OnIncarnation(new Incarnation(BinaryPrimitives.ReadUInt64LittleEndian(head), BinaryPrimitives.ReadUInt64LittleEndian(head[8..])));
                break;
            case BatchKind:
                _unread.Add((head.ToArray(), body));
                break;
            case CertificateKind when QuorumCertificate.TryParse(head, out QuorumCertificate? certificate):
                _certificates.Add(certificate);
                break;
            case AbandonedKind:
                IsAbandoned = true;
                break;
            default:
                break;
        }
    }

    /// <summary>The stream to go on with; null when there is none, or what is left of it has a hole (then a new incarnation begins).</summary>
    public RestoredStream? TryRestore(PublisherJournal journal, StreamHeader header, BatchVerifier batches, AckVerifier acks)
    {
        ReadStatements(header.Cluster);
        VerifiedCertificate? covered = CoveredUpTo(header.Id, acks);
        if (covered is null && _batches.Count == 0)
        {
            return null;
        }

        Sequence next = covered?.Batch.Sequence.Following ?? Sequence.Zero;
        List<VerifiedBatch> uncovered = [];
        foreach ((Sequence sequence, (BatchStatement statement, Signature signature, JournalPosition position)) in _batches)
        {
            if (sequence < next)
            {
                continue;
            }

            if (sequence != next
                || statement.Header.Id != header.Id
                || journal.TryRead(position) is not { } body
                || !batches.TryVerifyStatement(statement.Bytes.Span, signature, out VerifiedStatement? verified, out _)
                || !batches.TryVerifyBody(verified, body.Memory, body, out VerifiedBatch? batch, out _))
            {
                return null;
            }

            uncovered.Add(batch);
            next = next.Following;
        }

        return new RestoredStream(covered, uncovered);
    }

    private void OnIncarnation(Incarnation incarnation)
    {
        if (Incarnation != incarnation)
        {
            _unread.Clear();
            _certificates.Clear();
            IsAbandoned = false;
        }

        Incarnation = incarnation;
        Highest = incarnation > Highest ? incarnation : Highest;
    }

    /// <summary>A batch may stand twice: where it was written, and where a segment began.</summary>
    private void ReadStatements(ClusterId cluster)
    {
        foreach ((byte[] head, JournalPosition body) in _unread)
        {
            if (head.Length > Signature.Length && BatchStatement.TryParse(cluster, head.AsSpan(Signature.Length), out BatchStatement? statement, out _))
            {
                _batches[statement.Sequence] = (statement, new Signature(head.AsSpan(0, Signature.Length)), body);
            }
        }

        _unread.Clear();
    }

    /// <summary>The certificate at whose slot the covered part ends. Greedy: the one that reaches highest from where the last one ended, so that few are verified.</summary>
    private VerifiedCertificate? CoveredUpTo(StreamId stream, AckVerifier acks)
    {
        VerifiedCertificate? covered = null;
        List<QuorumCertificate> left = [.. _certificates.Where(certificate => certificate.Batch.Stream == stream)];
        Sequence next = _batches.Count > 0 ? _batches.Keys.First() : left.Select(certificate => certificate.Batch.Sequence).DefaultIfEmpty().Min();
        if (_batches.Count > 0 && !next.IsFirst)
        {
            // The journal was cut: the certificate before its first batch stands at its beginning.
            next = next.Preceding;
        }

        while (left.Where(certificate => certificate.Covers(next)).MaxBy(certificate => certificate.Batch.Sequence) is { } best)
        {
            left.Remove(best);
            if (acks.TryVerify(best, out VerifiedCertificate? verified, out _))
            {
                covered = verified;
                next = verified.Batch.Sequence.Following;
            }
        }

        return covered;
    }
}

/// <summary>Where a publisher goes on.</summary>
/// <param name="Covered">Its batch and all before it are covered; null when none is.</param>
/// <param name="Uncovered">The batches after it; their bodies belong to whoever holds this.</param>
internal sealed record RestoredStream(VerifiedCertificate? Covered, IReadOnlyList<VerifiedBatch> Uncovered);
