using Bft.Protocol.Certifying;
using Bft.Protocol.Model;
using Bft.Protocol.Witnessing;

namespace Bft.Protocol.Roles;

/// <summary>A stream as a witness role keeps it: its own acks, everybody's acks, and what is missing.</summary>
internal sealed class WitnessStream(StreamWitness witness, AckCollector collector)
{
    public StreamWitness Witness { get; } = witness;

    public AckCollector Collector { get; } = collector;

    /// <summary>Some ack differs from my chain: acks are compared along their chains too (C2).</summary>
    public bool IsDivergent { get; set; }

    /// <summary>The stream whose tip the first batch here, which links to it, is held for (W4).</summary>
    public StreamId? AwaitedStream { get; set; }

    /// <summary>S3: what peers have cut; null until one says so.</summary>
    public Skipping? Skipping { get; set; }

    /// <summary>Ticks for which a certified body has been missing without progress.</summary>
    public int TicksMissing { get; set; }

    /// <summary>Where the fetch that is under way began; null when there is none.</summary>
    public Sequence? FetchingFrom { get; set; }

    /// <summary>The peer to ask next; rises with every order, so that one that is silent or lies is left behind (W8).</summary>
    public int FetchTurn { get; set; }
}
