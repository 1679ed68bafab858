using Bft.Protocol.Bodies;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Receipts;

/// <summary>A message that a receipt proves.</summary>
/// <param name="Position">In its batch, from 0.</param>
/// <param name="Content">The message, or the error that every receiver has there (R1).</param>
public readonly record struct ProvenMessage(int Position, DecodedMessage Content);

/// <summary>A receipt that holds: a quorum of witnesses acked these messages at these positions. Only <see cref="ReceiptVerifier"/> makes one.</summary>
/// <remarks>It proves acceptance by a quorum, not that a given reader processed the messages.</remarks>
public sealed class VerifiedReceipt
{
    internal VerifiedReceipt(VerifiedStatement statement, VerifiedCertificate certificate, IReadOnlyList<ProvenMessage> messages)
    {
        Statement = statement;
        Certificate = certificate;
        Messages = messages;
    }

    /// <summary>Where the signature that the receipt carries is the publisher's own, <see cref="VerifiedStatement.IsSigned"/> says so.</summary>
    public VerifiedStatement Statement { get; }

    public VerifiedCertificate Certificate { get; }

    /// <summary>Who published, where.</summary>
    public StreamHeader Header => Statement.Statement.Header;

    public Sequence Sequence => Statement.Sequence;

    /// <summary>In the order of their positions; at least one.</summary>
    public IReadOnlyList<ProvenMessage> Messages { get; }
}
