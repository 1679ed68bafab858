using System.Runtime.CompilerServices;
using Bft.Protocol.Certifying;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Protocol.Roles;

/// <summary>A stream as a witness role keeps it: its own acks, everybody's acks, and what contradicts.</summary>
internal sealed class WitnessStream(StreamWitness witness) : IOfStream
{
    private AckCollector? _collector; // null while nothing is collected: most streams are idle
    private SortedDictionary<(Sequence Sequence, Crypto.Digest Digest), VerifiedStatement>? _shown; // bound: four windows; null while nothing is divergent
    private StrongBox<StreamId>? _awaited;

    public StreamWitness Witness { get; } = witness;

    public StreamId Id => Witness.Id;

    public AckCollector Collector => _collector ??= new AckCollector(Witness.Committee);

    /// <summary>C3: slots of which acks are kept.</summary>
    public int AckedSlotCount => _collector?.SlotCount ?? 0;

    /// <summary>Something differs from my chain: acks are compared along their chains too (C2).</summary>
    public bool IsDivergent { get; set; }

    /// <summary>The stream whose tip the first batch here, which links to it, is held for (W4).</summary>
    public StreamId? AwaitedStream
    {
        get => _awaited?.Value;
        set => _awaited = value is { } stream ? new StrongBox<StreamId>(stream) : null;
    }

    /// <summary>S3: what peers have cut; null until one says so.</summary>
    public Skipping? Skipping { get; set; }

    /// <summary>W11: it is no stream of this witness any more.</summary>
    public bool IsForgotten { get; set; }

    /// <summary>The peer to ask next; rises with every order, so that one that is silent or lies is left behind (W8).</summary>
    public int FetchTurn { get; set; }

    /// <summary>The stored tip rose: acks at and below it are not needed any more.</summary>
    public void OnRisen()
    {
        _collector?.ForgetBelow(Witness.StoredEnd);
        _collector = _collector?.SlotCount > 0 ? _collector : null;
    }

    /// <summary>C2: in a divergent stream the statements of both sides lead from acks to the slot in dispute, whether I keep their batches or not.</summary>
    /// <returns>True when it is new.</returns>
    public bool Show(VerifiedStatement statement)
    {
        _shown ??= [];
        bool isNew = _shown.TryAdd((statement.Sequence, statement.Digest), statement);
        if (_shown.Count > 4 * Witness.Committee.Limits.WindowSlots)
        {
            _shown.Remove(_shown.Keys.First());
        }

        return isNew;
    }

    public VerifiedStatement? StatementOf(BatchRef batch) => Witness.StatementOf(batch) ?? _shown?.GetValueOrDefault((batch.Sequence, batch.Digest));
}
