using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Client;

/// <summary>Something that an operator may want to know; the library writes no log of its own.</summary>
public abstract record ClientNotice;

/// <summary>A session with a witness is open.</summary>
public sealed record WitnessReached(WitnessIndex Witness) : ClientNotice;

/// <summary>A session with a witness ended or could not be opened; it is tried again, by itself, for ever.</summary>
/// <param name="Witness">Which one.</param>
/// <param name="Reason">What went wrong, and what to do where something can be done.</param>
public sealed record WitnessLost(WitnessIndex Witness, string Reason) : ClientNotice;

/// <summary>A witness showed another TLS key than cluster.yaml says: it was renewed without telling, or somebody stands in between.</summary>
public sealed record WrongPin(WitnessIndex Witness, Digest Expected, Digest Seen) : ClientNotice;

/// <summary>A witness has a Unix socket on this host that is not used, for what the reason says: TLS to its address takes its place.</summary>
/// <param name="Witness">Which one.</param>
/// <param name="Path">Of the socket.</param>
/// <param name="Reason">As a sentence, with the command that mends it where there is one.</param>
public sealed record SocketPassedOver(WitnessIndex Witness, string Path, string Reason) : ClientNotice;

/// <summary>A witness sent what no correct one sends; it is not used for a while.</summary>
public sealed record WitnessMisbehaved(WitnessIndex Witness, string What) : ClientNotice;

/// <summary>A publisher began: with its journal's incarnation, or with a new one.</summary>
/// <param name="Topic">Where.</param>
/// <param name="Incarnation">Which.</param>
/// <param name="Why">In a sentence.</param>
public sealed record IncarnationOpened(Topic Topic, Incarnation Incarnation, string Why) : ClientNotice;

/// <summary>P7: a publisher that starts has asked all witnesses what they hold of it, and publishes nothing before enough have answered. Asked on by itself.</summary>
/// <param name="Topic">Where.</param>
/// <param name="Answers">Witnesses that have answered.</param>
/// <param name="Needed">How many it takes: n − f.</param>
public sealed record WitnessesAsked(Topic Topic, int Answers, int Needed) : ClientNotice;

/// <summary>R4: slots that no witness keeps any more were skipped.</summary>
public sealed record SlotsSkipped(StreamId Stream, Sequence First, Sequence Floor) : ClientNotice;

/// <summary>Proof of a fault: save it and tell the operators.</summary>
public sealed record EvidenceSeen(VerifiedEvidence Evidence) : ClientNotice;

/// <summary>A publisher's journal could not be read, and was moved aside (its incarnation is not continued, P7), or could not be closed.</summary>
public sealed record JournalTrouble(Topic Topic, string What) : ClientNotice;
