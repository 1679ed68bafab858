using Bft.Configuration;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>What a frame of a publisher takes of what all publishers share: charged for every frame, also one that says nothing new or is refused.</summary>
/// <param name="Bytes">Of work, as bytes: what is sent, what it makes a witness verify, and what answers it. At least 1.</param>
/// <param name="Messages">At least 1; a batch's as its statement says.</param>
/// <param name="PerBatch">The part of the bytes that a batch costs however little is in it; 0 for other frames. Whoever sends few batches is not charged for it.</param>
internal readonly record struct PublishCost(long Bytes, long Messages, long PerBatch = 0)
{
    /// <summary>
    /// A signature, with the record or answer that follows from it, takes as long as receiving, hashing, writing and passing on so many bytes (about 0.1 ms). Without it the smallest batches would be the
    /// best way to take the processor from others.
    /// </summary>
    private const int SignatureBytes = 4 * 1024;

    private const int MessageBytes = 100; // being ahead means about the same in both units

    private const int InquiryBytes = 64 * 1024; // the answer

    private const int OwnBodiesBytes = PublishIntake.OwnBodiesBytes; // the answer, or one batch

    public static PublishCost Of(IPublishRequest frame, ClusterId cluster) => frame switch
    {
        BatchFrame { Batch: var batch } => new PublishCost(
            SignatureBytes + batch.Body.Length + batch.Statement.Length,
            BatchStatement.TryParse(cluster, batch.Statement.Span, out BatchStatement? statement, out _)
                ? Math.Clamp(statement.Body.MessageCount, 1, Math.Max(1, batch.Body.Length)) // so many it can hold at most, whatever it says
                : 1,
            SignatureBytes + batch.Statement.Length),
        CertifiedFrame certified => new PublishCost(FrameBytes.Of(certified) + (SignatureBytes * (certified.Statements.Count + 1L)), 1),
        InquiryFrame => new PublishCost(InquiryBytes, 1),
        FetchFrame => new PublishCost(OwnBodiesBytes, 1),
        _ => new PublishCost(FrameBytes.Overhead, 1),
    };

    /// <summary>What counts between publishers.</summary>
    /// <param name="unit">As cluster.yaml says.</param>
    /// <param name="isSeldom">The publisher sends few batches.</param>
    public long By(ShareBy unit, bool isSeldom) => unit == ShareBy.Messages ? Messages * MessageBytes : Bytes - (isSeldom ? PerBatch : 0);
}
