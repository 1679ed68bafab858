using Bft.Crypto;

namespace Bft.Protocol.Receipts;

/// <summary>A chunk of a body with the path from it to the body's root.</summary>
/// <param name="Index">Its leaf: 0 is the table.</param>
/// <param name="Bytes">As stored.</param>
/// <param name="Path">Sibling digests from the leaf up; at most <see cref="FormatLimits.BodyPathMax"/>.</param>
public sealed record ReceiptChunk(int Index, ReadOnlyMemory<byte> Bytes, IReadOnlyList<Digest> Path);
