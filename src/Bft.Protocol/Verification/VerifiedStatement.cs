using Bft.Crypto;
using Bft.Protocol.Model;

namespace Bft.Protocol.Verification;

/// <summary>A statement that its publisher signed, or that a verified certificate covers.</summary>
public sealed class VerifiedStatement
{
    internal VerifiedStatement(BatchStatement statement, Signature signature, bool isSigned)
    {
        Statement = statement;
        Signature = signature;
        IsSigned = isSigned;
    }

    public BatchStatement Statement { get; }

    public Signature Signature { get; }

    /// <summary>
    /// The signature itself was verified. False where coverage by a certificate stood in for it (S1): then f + 1 correct
    /// witnesses verified one, perhaps other bytes than <see cref="Signature"/>, which is thus no proof to a third party.
    /// </summary>
    public bool IsSigned { get; }

    public BatchRef Reference => Statement.Reference;

    public Sequence Sequence => Statement.Sequence;

    public Digest Digest => Statement.Digest;
}

/// <summary>A verified statement with the body that it names. Only <see cref="BatchVerifier"/> makes one.</summary>
/// <remarks>
/// The body's memory belongs to whoever holds the batch, and moves with it. The witness core never reads it, so a host may give it
/// back (<see cref="BodyOwner"/>) once the batch is durable; a batch that is dropped leaves it to the garbage collector.
/// </remarks>
public sealed class VerifiedBatch
{
    internal VerifiedBatch(VerifiedStatement statement, ReadOnlyMemory<byte> body, IDisposable? bodyOwner)
    {
        Statement = statement;
        Body = body;
        BodyOwner = bodyOwner;
    }

    public VerifiedStatement Statement { get; }

    public ReadOnlyMemory<byte> Body { get; }

    public IDisposable? BodyOwner { get; }

    public BatchRef Reference => Statement.Reference;

    public Sequence Sequence => Statement.Sequence;

    public Digest Digest => Statement.Digest;
}
