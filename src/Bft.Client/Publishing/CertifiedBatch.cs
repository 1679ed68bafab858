using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Model;
using Bft.Protocol.Receipts;
using Bft.Protocol.Verification;

namespace Bft.Client;

/// <summary>A batch of our own that is certified: published for good (P5).</summary>
public sealed class CertifiedBatch
{
    private readonly ClusterLimits _limits;
    private readonly VerifiedBatch _batch;
    private readonly IReadOnlyList<VerifiedStatement> _upToCertificate;
    private readonly bool _hasBody;

    /// <param name="batch">The batch.</param>
    /// <param name="hasBody">Whether its body stays as it is.</param>
    /// <param name="certificate">Covers it.</param>
    /// <param name="upToCertificate">Its statement and those after it, up to the certificate's own.</param>
    /// <param name="limits">The cluster's.</param>
    internal CertifiedBatch(VerifiedBatch batch, bool hasBody, VerifiedCertificate certificate, IReadOnlyList<VerifiedStatement> upToCertificate, ClusterLimits limits)
    {
        _batch = batch;
        _hasBody = hasBody;
        _upToCertificate = upToCertificate;
        _limits = limits;
        Certificate = certificate;
    }

    public StreamHeader Header => _batch.Statement.Statement.Header;

    public Sequence Sequence => _batch.Sequence;

    public int MessageCount => _batch.Statement.Statement.Body.MessageCount;

    /// <summary>Of the body as it is stored and sent. Unit: bytes.</summary>
    public int BodyBytes => _batch.Statement.Statement.Body.Length;

    /// <summary>Covers the batch's slot; perhaps a later batch's of the stream.</summary>
    public VerifiedCertificate Certificate { get; }

    /// <summary>A receipt for some of the batch's messages, or for all of them when none is named. Costs a hash pass over the body.</summary>
    /// <exception cref="InvalidOperationException">The body was given back (see <see cref="PublisherOptions.KeepReceipts"/>).</exception>
    /// <exception cref="ArgumentException">The batch has no such message.</exception>
    public Receipt ToReceipt(params IReadOnlyCollection<int> positions)
    {
        if (!_hasBody)
        {
            throw new InvalidOperationException("The batch's body was given back when it was certified. Publish with PublishAsync, or set PublisherOptions.KeepReceipts.");
        }

        BatchVerifier verifier = new(Header.Cluster, _limits, Ed25519.Instance);
        return CertifiedRange.TryVerify(verifier, Certificate, [.. _upToCertificate.Select(SignedStatement.From)], out CertifiedRange? range, out RejectReason reason)
            ? Receipt.Create(_batch, range, _limits, positions)
            : throw new InvalidOperationException($"A covered batch of our own makes no range: {reason}.");
    }
}

/// <summary>A message of our own that is certified.</summary>
/// <param name="Batch">The batch that it is part of.</param>
/// <param name="Position">Its place there, from 0.</param>
public readonly record struct PublishedMessage(CertifiedBatch Batch, int Position)
{
    public Sequence Sequence => Batch.Sequence;

    /// <inheritdoc cref="CertifiedBatch.ToReceipt"/>
    public Receipt ToReceipt() => Batch.ToReceipt(Position);
}

/// <summary>A message that was accepted, and will be certified. Cheap: all tickets of a batch share one task.</summary>
public readonly struct PublishTicket
{
    private readonly PendingBatch? _batch;

    internal PublishTicket(PendingBatch batch, int position)
    {
        _batch = batch;
        Position = position;
    }

    /// <summary>The message's place in its batch, from 0.</summary>
    public int Position { get; }

    /// <summary>Completes when a quorum of witnesses made the message durable; fails with a <see cref="PublishException"/>.</summary>
    public Task<CertifiedBatch> Certified => (_batch ?? throw new InvalidOperationException("default(PublishTicket) stands for no message.")).Certified;

    /// <summary>Waits for <see cref="Certified"/> and makes the receipt. Needs <see cref="PublisherOptions.KeepReceipts"/>.</summary>
    /// <exception cref="PublishException">The publisher ended.</exception>
    /// <exception cref="InvalidOperationException">The body was not kept.</exception>
    public async Task<Receipt> GetReceiptAsync(CancellationToken cancellationToken = default)
    {
        int position = Position;
        CertifiedBatch batch = await Certified.WaitAsync(cancellationToken).ConfigureAwait(false);
        return batch.ToReceipt(position);
    }
}
