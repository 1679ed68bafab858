using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>What a peer answers to one fetch, verified as it comes.</summary>
internal interface IFetchIntake
{
    /// <summary>What to ask the peer for.</summary>
    FetchFrame Request { get; }

    /// <summary>The peer has no more.</summary>
    bool IsComplete { get; }

    /// <summary>A frame after the session's own.</summary>
    Intake Take(IFetchReply frame);
}
