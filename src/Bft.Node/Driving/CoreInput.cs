using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Roles;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;
using Bft.Storage;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>One input of the witness core: already verified, applied on the core's thread.</summary>
internal abstract class CoreInput
{
    /// <summary>Given back when this input is dealt with, and what it brought is durable; null when nothing was taken.</summary>
    public IDisposable? Grant { get; set; }

    /// <summary>What a peer's input keeps in memory. Unit: bytes.</summary>
    public int Bytes { get; init; }

    public abstract void Apply(WitnessRole role, WitnessEffects effects);

    /// <summary>What answers it, made now and sent when all that is appended by now is durable; null for nothing.</summary>
    public virtual Action? Answer(BatchStore store) => null;

    public void Release() => Grant?.Dispose();
}

internal sealed class BatchInput(VerifiedBatch batch) : CoreInput
{
    public VerifiedBatch Batch { get; } = batch;

    public override void Apply(WitnessRole role, WitnessEffects effects) => role.OnBatch(Batch, effects);
}

internal sealed class AcksInput(VerifiedAck[] acks) : CoreInput
{
    public IReadOnlyList<VerifiedAck> Acks => acks;

    public override void Apply(WitnessRole role, WitnessEffects effects) => role.OnAcks(acks, effects);
}

internal sealed class CertificateInput(VerifiedCertificate certificate, IReadOnlyList<VerifiedStatement> statements) : CoreInput
{
    public override void Apply(WitnessRole role, WitnessEffects effects) => role.OnCertificate(certificate, statements, effects);
}

internal sealed class PeerConnectedInput(WitnessIndex peer) : CoreInput
{
    public override void Apply(WitnessRole role, WitnessEffects effects) => role.OnPeerConnected(peer, effects);
}

/// <summary>A fetch ended, however it went.</summary>
internal sealed class FetchEndedInput(FetchOrder order) : CoreInput
{
    public override void Apply(WitnessRole role, WitnessEffects effects) => role.OnFetchEnded(order, effects);
}

internal sealed class StoredConflictInput(VerifiedStatement stored, VerifiedStatement offered) : CoreInput
{
    public override void Apply(WitnessRole role, WitnessEffects effects) => role.OnStoredConflict(stored, offered, effects);
}

/// <summary>W10: evidence from a peer.</summary>
internal sealed class EvidenceInput(VerifiedEvidence evidence) : CoreInput
{
    public override void Apply(WitnessRole role, WitnessEffects effects) => role.OnEvidence(evidence, effects);
}

/// <summary>W8: a peer's heartbeat.</summary>
/// <param name="peer">Whose.</param>
/// <param name="tips">Digest over its stored tips.</param>
/// <param name="offenders">Digest over the keys that it has evidence about.</param>
/// <param name="late">Acks of slots that were certified when they came: their root still counts as the peer's highest (W9).</param>
internal sealed class HeartbeatInput(WitnessIndex peer, Digest? tips, Digest? offenders, VerifiedAck[] late) : CoreInput
{
    public override void Apply(WitnessRole role, WitnessEffects effects)
    {
        role.OnAcks(late, effects);
        role.OnHeartbeat(peer, tips, offenders, effects);
    }
}

/// <summary>W10: all evidence that is held, for an operator; told when it is durable.</summary>
internal sealed class EvidenceListInput(TaskCompletionSource<IReadOnlyList<VerifiedEvidence>> answer) : CoreInput
{
    private IReadOnlyList<VerifiedEvidence> _evidence = [];

    public override void Apply(WitnessRole role, WitnessEffects effects) => _evidence = [.. role.Evidence];

    public override Action Answer(BatchStore store) => () => answer.TrySetResult(_evidence);
}

/// <summary>C2: a certificate for another batch in a stored slot.</summary>
internal sealed class StoredForkInput(VerifiedCertificate stored, VerifiedStatement[] statements, VerifiedCertificate other) : CoreInput
{
    public override void Apply(WitnessRole role, WitnessEffects effects) => role.OnStoredFork(stored, statements, other, effects);
}

/// <summary>W9: what a peer holds of mine, its question, or its answer.</summary>
internal sealed class RecallInput(WitnessIndex peer, VerifiedAck[] mine, Run? asks, Run? answers) : CoreInput
{
    public override void Apply(WitnessRole role, WitnessEffects effects) => role.OnRecall(peer, mine, asks, answers, effects);
}

/// <summary>P7: what is held of a publisher's incarnations in a topic. Decides nothing, but must not reveal what is not durable.</summary>
internal sealed class InquiryInput(Topic topic, PublicKey publisher, Action<IPublishReply, int> reply) : CoreInput
{
    public override void Apply(WitnessRole role, WitnessEffects effects)
    {
    }

    public override Action Answer(BatchStore store)
    {
        StandingFrame standing = Standing.Of(store, topic, publisher);
        return () => reply(standing, FrameBytes.Of(standing));
    }
}

/// <summary>P7: a publisher that lost its journal asks for bodies of its own batches, certified or not.</summary>
internal sealed class OwnBodiesInput(FetchFrame fetch, PublicKey publisher, int bytesMax, Action<IPublishReply, int> reply) : CoreInput
{
    public override void Apply(WitnessRole role, WitnessEffects effects)
    {
    }

    public override Action? Answer(BatchStore store)
    {
        if (!store.TryFind(fetch.Stream, out StreamLog? log) || log.Header.Publisher != publisher)
        {
            return null;
        }

        RecordedBody[] bodies = [.. log.RecordedBodies(fetch.From, fetch.To, bytesMax)];
        return () =>
        {
            foreach (RecordedBody body in bodies)
            {
                byte[] bytes = new byte[body.Length];
                if (log.TryRead(body, bytes))
                {
                    reply(new BodyFrame(new Slot(fetch.Stream, body.Sequence), bytes), bytes.Length);
                }
            }
        };
    }
}
