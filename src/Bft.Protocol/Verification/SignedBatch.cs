using Bft.Crypto;

namespace Bft.Protocol.Verification;

/// <summary>A batch as it came: nothing about it is known to be true.</summary>
/// <param name="Statement">Bytes that claim to be a <see cref="BatchStatement"/>.</param>
/// <param name="Signature">Claimed to be the publisher's, over <paramref name="Statement"/>.</param>
/// <param name="Body">The chunks, the table first. Empty where only the statement travels.</param>
/// <param name="BodyOwner">Whom to give the body's memory back to; null when the garbage collector is enough.</param>
public sealed record SignedBatch(ReadOnlyMemory<byte> Statement, Signature Signature, ReadOnlyMemory<byte> Body, IDisposable? BodyOwner = null);
