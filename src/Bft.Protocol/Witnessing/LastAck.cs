using Bft.Protocol.Model;

namespace Bft.Protocol.Witnessing;

/// <summary>A witness's highest ack in a stream: the only one that the next ack's base depends on (W1).</summary>
internal readonly record struct LastAck(BatchRef Batch, Sequence Base);
