using System.Buffers;
using Bft.Protocol;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;
using Bft.Protocol.Receipts;
using Bft.Protocol.Receiving;
using Bft.Protocol.Verification;
using Covered = Bft.Protocol.Receiving.Delivery;

namespace Bft.Client;

/// <summary>A batch with all its messages. Its memory is pooled: everything here is valid until the enumeration moves on.</summary>
public sealed class DeliveredBatch
{
    private readonly Covered _covered;
    private readonly ClusterLimits _limits;
    private DecodedMessage[] _messages;

    /// <param name="covered">With its body.</param>
    /// <param name="firstPosition">Messages that this cursor took before.</param>
    /// <param name="isRedelivery">R3.</param>
    /// <param name="limits">The cluster's.</param>
    internal DeliveredBatch(Covered covered, int firstPosition, bool isRedelivery, ClusterLimits limits)
    {
        _covered = covered;
        _limits = limits;
        FirstPosition = Math.Min(firstPosition, Count);
        IsRedelivery = isRedelivery;
        _messages = ArrayPool<DecodedMessage>.Shared.Rent(Count);
        Decode();
    }

    public StreamHeader Header => _covered.Batch.Statement.Statement.Header;

    public Sequence Sequence => _covered.Batch.Sequence;

    /// <summary>Messages in the batch.</summary>
    public int Count => _covered.Batch.Statement.Statement.Body.MessageCount;

    /// <summary>The first message that the cursor did not take before; 0 but for the first batch after a commit in the middle of it.</summary>
    public int FirstPosition { get; }

    /// <summary>R3: an earlier run of this cursor may have delivered it.</summary>
    public bool IsRedelivery { get; }

    /// <summary>P6: its publisher signed the same messages before, in an incarnation that it gave up; they may have been delivered from there.</summary>
    public bool IsPossibleRepeat => _covered.Batch.Statement.Statement.Body.IsPossibleRepeat;

    /// <summary>Proves the batch; perhaps a later batch's of the stream.</summary>
    public VerifiedCertificate Certificate => _covered.Range.Certificate;

    /// <summary>All messages, in the order in which they were published.</summary>
    public ReadOnlySpan<DecodedMessage> Messages => _messages.AsSpan(0, Count);

    internal int BodyLength => _covered.Batch.Body.Length;

    public Delivery this[int position] => new(this, position, Messages[position]);

    /// <inheritdoc cref="CertifiedBatch.ToReceipt"/>
    public Receipt ToReceipt(params IReadOnlyCollection<int> positions)
    {
        // A receipt outlives the pooled body.
        Receipt receipt = Receipt.Create(_covered.Batch, _covered.Range, _limits, positions);
        return Receipt.TryParse(receipt.Encode(), out Receipt? copy, out _) ? copy : throw new InvalidOperationException("A receipt that was just made is none.");
    }

    /// <summary>Where a cursor is that took the messages up to and with this position.</summary>
    internal CursorPosition PositionAfter(int position) => position + 1 >= Count
        ? new CursorPosition(Sequence.Following, _covered.Batch.Digest)
        : new CursorPosition(Sequence, MessagesTaken: position + 1);

    /// <summary>The enumeration moved on.</summary>
    internal void GiveBack()
    {
        DecodedMessage[] messages = _messages;
        _messages = [];
        if (messages.Length > 0)
        {
            ArrayPool<DecodedMessage>.Shared.Return(messages);
            _covered.Batch.BodyOwner?.Dispose();
        }
    }

    /// <summary>As <see cref="DecodedBody.Read"/>, into pooled memory.</summary>
    private void Decode()
    {
        BodyDescription description = _covered.Batch.Statement.Statement.Body;
        ReadOnlyMemory<byte> body = _covered.Batch.Body;
        Span<DecodedMessage> messages = _messages.AsSpan(0, Count);
        if (description.Encoding != BodyEncoding.Identity || !ChunkTable.TryRead(body.Span, Count, _limits.TableBytesMax, out ChunkTable? table))
        {
            DecodeError error = description.Encoding != BodyEncoding.Identity ? DecodeError.UnknownEncoding : DecodeError.BadTable;
            messages.Fill(new DecodedMessage(default, error));
            return;
        }

        foreach (ChunkEntry entry in table.Entries)
        {
            bool fits = entry.Length <= body.Length - entry.Offset;
            DecodedBody.ReadChunk(entry, fits ? body.Slice(entry.Offset, entry.Length) : default, messages);
        }
    }
}
