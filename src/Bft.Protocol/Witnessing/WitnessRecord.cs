using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Witnessing;

/// <summary>What a witness makes durable. Replayed in order, the records rebuild it exactly (W9).</summary>
public abstract record WitnessRecord;

/// <summary>A run of the process began; durable before the run's first ack.</summary>
/// <param name="Run">Which.</param>
/// <param name="Last">The last mark of it that was replayed, where a checkpoint says so; null for the run that begins, whose marks follow.</param>
public sealed record RunRecord(Run Run, Mark? Last = null) : WitnessRecord;

/// <summary>W9: the root of a peer with the highest mark seen, with one ack under it.</summary>
public sealed record PeerRootRecord(AckBundle Bundle) : WitnessRecord;

/// <summary>W9: a root of mine was seen that I do not remember: never ack again under this key.</summary>
public sealed record LostMemoryRecord : WitnessRecord;

/// <summary>A batch, body and all.</summary>
/// <param name="Batch">The batch; its body's memory may be given back when the record is durable.</param>
/// <param name="AckBase">W1: the base of the ack that this record stands for; null for a covered batch that is stored without an ack (W5).</param>
public sealed record BatchRecord(VerifiedBatch Batch, Sequence? AckBase) : WitnessRecord;

/// <summary>A certificate; all slots that it covers above the one before it have their bodies recorded already (W7).</summary>
public sealed record CertificateRecord(VerifiedCertificate Certificate) : WitnessRecord;

/// <summary>W11: an incarnation is live no more, and none at or below it joins again. Stands before the first ack in the one that took its place.</summary>
public sealed record RetiredRecord(StreamHeader Header) : WitnessRecord;

/// <summary>W11: a retired stream of which nothing was certified is forgotten.</summary>
public sealed record ForgottenRecord(StreamId Stream) : WitnessRecord;

/// <summary>S3: bodies of the stream below the floor are not kept, and not waited for.</summary>
public sealed record FloorRecord(StreamHeader Header, Sequence Floor) : WitnessRecord;

/// <summary>S3: a covered batch below the floor, without its body.</summary>
public sealed record SkippedRecord(VerifiedStatement Statement) : WitnessRecord;

/// <summary>S3: nothing is kept of the stream up to this certificate's batch, which is its stored tip.</summary>
public sealed record JumpRecord(StreamHeader Header, VerifiedCertificate Certificate) : WitnessRecord;

/// <summary>W11, in a checkpoint (S2): the lists of a publisher's incarnations in a topic, acked in longest ago first.</summary>
public sealed record IncarnationsRecord(PublicKey Publisher, Topic Topic, Incarnation? HighestRetired, IReadOnlyList<StreamId> Live, IReadOnlyList<StreamId> Retired) : WitnessRecord;

/// <summary>Evidence about an offender.</summary>
public sealed record EvidenceRecord(VerifiedEvidence Evidence) : WitnessRecord;
