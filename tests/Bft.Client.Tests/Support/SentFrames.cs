using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Publishing;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Client.Tests.Support;

/// <summary>What a publisher sends.</summary>
internal sealed class SentFrames : IPublisherOutputs
{
    /// <summary>Those without a body.</summary>
    public List<(WitnessIndex To, IPublishRequest Frame)> Frames { get; } = [];

    public List<(WitnessIndex To, Slot Slot)> Batches { get; } = [];

    public void Send(WitnessIndex to, IPublishRequest frame) => Frames.Add((to, frame));

    public void Send(WitnessIndex to, BatchFrame batch, Slot slot) => Batches.Add((to, slot));

    public void Covered(CoveredBatch covered, ArraySegment<VerifiedStatement> upToCertificate, object? ticket)
    {
    }

    public void Asking(int answers, int needed)
    {
    }

    public void Opened(StreamHeader stream, string why)
    {
    }

    public void Misbehaved(WitnessIndex witness, string what)
    {
    }

    public void Ended(PublishException reason)
    {
    }
}
