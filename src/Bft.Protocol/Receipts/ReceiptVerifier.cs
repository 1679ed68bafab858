using System.Diagnostics.CodeAnalysis;
using Bft.Crypto;
using Bft.Protocol.Bodies;
using Bft.Protocol.Membership;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Receipts;

/// <summary>Checks receipts offline, with nothing but the committee's keys.</summary>
/// <remarks>Not thread-safe. Remembers verified ack roots, so that many receipts of one group commit cost one quorum of signatures.</remarks>
public sealed class ReceiptVerifier(Committee committee, ISignatureScheme scheme)
{
    private readonly AckVerifier _acks = new(committee, scheme, NodeLimits.Default.RememberedRootsMax);
    private readonly BatchVerifier _batches = new(committee.Cluster, committee.Limits, scheme);

    /// <summary>Verifies the bytes of exactly one receipt.</summary>
    public bool TryVerify(ReadOnlyMemory<byte> bytes, [NotNullWhen(true)] out VerifiedReceipt? verified, out RejectReason reason)
    {
        verified = null;
        reason = RejectReason.Malformed;
        return Receipt.TryParse(bytes, out Receipt? receipt, out int length) && length == bytes.Length && TryVerify(receipt, out verified, out reason);
    }

    public bool TryVerify(Receipt receipt, [NotNullWhen(true)] out VerifiedReceipt? verified, out RejectReason reason)
    {
        ArgumentNullException.ThrowIfNull(receipt);
        verified = null;
        if (!_acks.TryVerify(receipt.Certificate, out VerifiedCertificate? certificate, out reason)
            || !TryStatement(receipt, certificate, out VerifiedStatement? statement, out reason)
            || !TryTable(receipt.Table, statement.Statement.Body, out ChunkTable? table, out reason)
            || !TryMessages(receipt, statement.Statement.Body, table, out ProvenMessage[]? messages, out reason))
        {
            return false;
        }

        verified = new VerifiedReceipt(statement, certificate, messages);
        return true;
    }

    /// <summary>From the certificate over the chain to the batch's own statement, each named by the one above (S1).</summary>
    private bool TryStatement(Receipt receipt, VerifiedCertificate certificate, [NotNullWhen(true)] out VerifiedStatement? statement, out RejectReason reason)
    {
        statement = null;
        SignedStatement[] ascending =
        [
            receipt.Statement,
            .. receipt.Chain.Reverse().Select(bytes => new SignedStatement(bytes, default)),
        ];
        if (!CertifiedRange.TryVerify(_batches, certificate, ascending, out CertifiedRange? range, out reason))
        {
            return false;
        }

        // The certificate is proof enough; the publisher's own signature, where it came along whole, is one more.
        statement = _batches.TryVerifyStatement(receipt.Statement.Bytes.Span, receipt.Statement.Signature, out VerifiedStatement? signed, out _)
            ? signed
            : range.Statements[0];
        return true;
    }

    private bool TryTable(ReceiptChunk chunk, in BodyDescription body, [NotNullWhen(true)] out ChunkTable? table, out RejectReason reason)
    {
        table = null;
        reason = RejectReason.BadPath;
        if (chunk.Index != 0 || !LeadsToRoot(chunk, body))
        {
            return false;
        }

        reason = RejectReason.BadTable;
        return ChunkTable.TryRead(chunk.Bytes.Span, body.MessageCount, committee.Limits.TableBytesMax, out table)
            && table.Length == chunk.Bytes.Length
            && table.Entries.Count + 1 == body.ChunkCount;
    }

    private static bool TryMessages(Receipt receipt, in BodyDescription body, ChunkTable table, [NotNullWhen(true)] out ProvenMessage[]? proven, out RejectReason reason)
    {
        proven = null;
        DecodedMessage[] messages = new DecodedMessage[body.MessageCount];
        SortedSet<int> positions = [];
        int last = 0;
        foreach (ReceiptChunk chunk in receipt.Chunks)
        {
            reason = RejectReason.BadPath;
            if (chunk.Index <= last || !LeadsToRoot(chunk, body))
            {
                return false;
            }

            last = chunk.Index;
            Read(chunk, body, table.Entries[chunk.Index - 1], messages, positions);
        }

        // A position that the chunks do not hold is claimed and not proven.
        reason = RejectReason.OtherSlot;
        if (positions.Count == 0 || !receipt.Positions.All(positions.Contains))
        {
            return false;
        }

        proven = [.. (receipt.Positions.Count == 0 ? positions : [.. receipt.Positions]).Select(position => new ProvenMessage(position, messages[position]))];
        reason = RejectReason.None;
        return true;
    }

    private static void Read(ReceiptChunk chunk, in BodyDescription body, ChunkEntry entry, DecodedMessage[] messages, SortedSet<int> positions)
    {
        foreach (PositionRun run in entry.Runs)
        {
            positions.UnionWith(Enumerable.Range(run.First, run.Count));
        }

        if (body.Encoding == BodyEncoding.Identity)
        {
            DecodedBody.ReadChunk(entry, chunk.Bytes, messages);
            return;
        }

        foreach (PositionRun run in entry.Runs)
        {
            messages.AsSpan(run.First, run.Count).Fill(new DecodedMessage(default, DecodeError.UnknownEncoding));
        }
    }

    private static bool LeadsToRoot(ReceiptChunk chunk, in BodyDescription body) =>
        chunk.Index < body.ChunkCount
        && Merkle.TryRootFromPath(Merkle.LeafHash(chunk.Bytes.Span), (uint)chunk.Index, (uint)body.ChunkCount, [.. chunk.Path], out Digest root)
        && root == body.Root;
}
