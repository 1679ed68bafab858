using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Publishing;

/// <summary>Why a stream takes no more batches, for good.</summary>
public abstract record PublisherEnd;

/// <summary>
/// P6: a witness showed something of this stream that we signed and forgot, or never signed: the journal was lost or put back to an older state,
/// or somebody else holds our key. Nothing more is signed or sent; retrying cannot help.
/// </summary>
/// <param name="Slot">Where the two differ.</param>
/// <param name="Ours">What we signed there; null when we signed nothing there.</param>
/// <param name="Shown">What was shown, under our own signature; null when a certificate is the proof.</param>
/// <param name="Certificate">A quorum's word for what was shown; null when an original is the proof.</param>
public sealed record JournalLost(Slot Slot, VerifiedStatement? Ours, VerifiedStatement? Shown, VerifiedCertificate? Certificate) : PublisherEnd;

/// <summary>
/// P6, W11: this incarnation is retired, or finds no place. What was submitted is still sent, and still reported when it is covered; what is not by then is
/// published again in a new incarnation, marked as a possible repeat.
/// </summary>
/// <param name="Reason">Retired or full.</param>
public sealed record NewIncarnationNeeded(RefusalReason Reason) : PublisherEnd;
