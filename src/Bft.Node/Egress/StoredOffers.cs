using System.Threading.Channels;
using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;
using Bft.Storage;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>Answers batches for slots that are stored: with what covers the slot (W2), or, when it is another batch, with a refusal that shows it (W3).</summary>
/// <remarks>Reads the disk, so not on the core's thread. Bounded: an offer too many is dropped, for the publisher sends it again (P3).</remarks>
internal sealed class StoredOffers(BatchStore store, BatchVerifier verifier, PublisherCalls publishers)
{
    private const int WaitingMax = 1024;

    private readonly Channel<StoredSlotOffer> _waiting = Channel.CreateBounded<StoredSlotOffer>(
        new BoundedChannelOptions(WaitingMax) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    public void Post(StoredSlotOffer offer) => _waiting.Writer.TryWrite(offer);

    public async Task RunAsync(CoreMailbox core, CancellationToken cancellationToken)
    {
        await foreach (StoredSlotOffer offer in _waiting.Reader.ReadAllAsync(cancellationToken))
        {
            Answer(offer.Offered, core);
        }
    }

    private void Answer(VerifiedStatement offered, CoreMailbox core)
    {
        Outbox<IPublishReply>[] calls = publishers.Of(offered.Statement.Header.Publisher);
        if (!store.TryFind(offered.Reference.Stream, out StreamLog? log) || log.RangeFrom(offered.Sequence) is not { } range)
        {
            return;
        }

        CertifiedFrame covering = StoredFrames.Certified(log, range);
        SignedStatement stored = covering.Statements[0];
        if (Sha256.Hash(stored.Bytes.Span) == offered.Digest)
        {
            Post(calls, covering, FrameBytes.Of(covering));
            return;
        }

        if (verifier.TryVerifyStatement(stored.Bytes.Span, stored.Signature, out VerifiedStatement? original, out _))
        {
            core.Post(new StoredConflictInput(original, offered));
        }

        Refusal refusal = new(offered.Reference.Slot, RefusalReason.Conflict, stored, Text: "another batch is certified in this slot");
        RefusalFrame frame = RefusalFrame.From(refusal) with { Certificate = covering.Certificate };
        Post(calls, frame, FrameBytes.Of(refusal) + covering.Certificate.Length);
    }

    private static void Post(Outbox<IPublishReply>[] calls, IPublishReply frame, int bytes)
    {
        foreach (Outbox<IPublishReply> call in calls)
        {
            call.Post(frame, bytes);
        }
    }
}
