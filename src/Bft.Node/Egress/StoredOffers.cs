using System.Threading.Channels;
using Bft.Protocol.Witnessing;

namespace Bft.Node;

/// <summary>Batches for slots that are stored, to be answered one after the other.</summary>
/// <remarks>Reads the disk, so not on the core's thread. Bounded: an offer too many is dropped, for the publisher sends it again (P3).</remarks>
internal sealed class StoredOffers(StoredAnswers answers, PublisherCalls publishers)
{
    private const int WaitingMax = 1024;

    private readonly Channel<StoredSlotOffer> _waiting = Channel.CreateBounded<StoredSlotOffer>(
        new BoundedChannelOptions(WaitingMax) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    public void Post(StoredSlotOffer offer) => _waiting.Writer.TryWrite(offer);

    public async Task RunAsync(CoreMailbox core, CancellationToken cancellationToken)
    {
        await foreach (StoredSlotOffer offer in _waiting.Reader.ReadAllAsync(cancellationToken))
        {
            Intake answer = answers.Of(offer);
            if (answer.Input is { } conflict)
            {
                core.Post(conflict);
            }

            if (answer.Reply is { } reply)
            {
                publishers.Post(offer.Offered.Statement.Header.Publisher, reply, answer.ReplyBytes);
            }
        }
    }
}
