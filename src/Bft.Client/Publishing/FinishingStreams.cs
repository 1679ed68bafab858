using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Publishing;
using Bft.Protocol.Roles;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Client;

/// <summary>P6, P7: older incarnations of ours that are finished beside the current one, which waits for none of them.</summary>
/// <remarks>Bounded: the newest <see cref="StreamsMax"/>, each with at most a window of batches. What is given up is left to the witnesses (W6).</remarks>
internal sealed class FinishingStreams(Committee committee, BatchVerifier batches, IPublisherOutputs outputs)
{
    private const int StreamsMax = 4;
    private const int FetchTicks = 25;

    private readonly SortedList<Incarnation, FinishingStream> _streams = [];
    private readonly PublisherEffects _effects = new();
    private WitnessSet _connected;
    private long _now;
    private int _asked;

    public bool Has(Incarnation incarnation) => _streams.ContainsKey(incarnation);

    public PublisherRole? RoleOf(StreamId stream) => StreamOf(stream)?.Role;

    /// <summary>Takes a stream over.</summary>
    /// <param name="role">Owns the bodies of its batches; a <see cref="SharedBody"/> each.</param>
    /// <param name="bodiless">What follows its batches; the bodies are fetched.</param>
    public void Add(PublisherRole role, IEnumerable<VerifiedStatement> bodiless)
    {
        if (_streams.Count == StreamsMax)
        {
            if (role.Header.Incarnation < _streams.GetKeyAtIndex(0))
            {
                role.Uncovered.ToList().ForEach(batch => batch.BodyOwner!.Dispose());
                return;
            }

            Remove(_streams.GetValueAtIndex(0));
        }

        FinishingStream added = new(role, bodiless);
        _streams.Add(role.Header.Incarnation, added);
        foreach (WitnessIndex witness in committee.Members.Where(_connected.Contains))
        {
            role.OnConnected(witness, _effects);
        }

        Perform(added);
        Fetch(added);
    }

    public void OnConnected(WitnessIndex witness)
    {
        _connected = _connected.With(witness);
        ForEach((role, effects) => role.OnConnected(witness, effects));
    }

    public void OnDisconnected(WitnessIndex witness)
    {
        _connected = _connected.Without(witness);
        ForEach((role, _) => role.OnDisconnected(witness));
    }

    public void OnAcks(IReadOnlyList<VerifiedAck> acks) => ForEach((role, effects) => role.OnAcks(acks, effects));

    /// <summary>Something about one of the streams; ignored when it is about another.</summary>
    public void On(StreamId stream, Action<PublisherRole, PublisherEffects> input)
    {
        if (StreamOf(stream) is { } found)
        {
            input(found.Role, _effects);
            Perform(found);
        }
    }

    public void OnTick()
    {
        _now++;
        ForEach((role, effects) => role.OnTick(effects));
        if (_now % FetchTicks == 0)
        {
            foreach (FinishingStream stream in _streams.Values)
            {
                Fetch(stream);
            }
        }
    }

    /// <summary>A body that was asked for, perhaps: its statement decides.</summary>
    public void OnBody(BodyFrame body)
    {
        if (StreamOf(body.Slot.Stream) is { } stream && stream.Bodiless.TryPeek(out VerifiedStatement? statement) && statement.Sequence == body.Slot.Sequence)
        {
            SharedBody copy = SharedBody.Rent(body.Body.Length);
            body.Body.CopyTo(copy.Memory);
            if (stream.Role.WhyMustWait(body.Body.Length) is null && batches.TryVerifyBody(statement, copy.Memory, copy, out VerifiedBatch? batch, out _))
            {
                stream.Bodiless.Dequeue();
                stream.Role.Recover(batch, _effects);
                Perform(stream);
            }
            else
            {
                copy.Dispose();
            }
        }

        body.BodyOwner?.Dispose();
    }

    /// <summary>Gives all bodies back.</summary>
    public void End()
    {
        foreach (FinishingStream stream in _streams.Values.ToArray())
        {
            Remove(stream);
        }
    }

    private FinishingStream? StreamOf(StreamId id) => _streams.Values.FirstOrDefault(stream => stream.Role.Header.Id == id);

    private void ForEach(Action<PublisherRole, PublisherEffects> input)
    {
        foreach (FinishingStream stream in _streams.Values.ToArray())
        {
            input(stream.Role, _effects);
            Perform(stream);
        }
    }

    /// <summary>Asks one witness after the other for the bodies that lack.</summary>
    private void Fetch(FinishingStream stream)
    {
        WitnessIndex[] connected = [.. committee.Members.Where(_connected.Contains)];
        if (connected.Length > 0 && stream.Bodiless.TryPeek(out VerifiedStatement? first))
        {
            outputs.Send(connected[_asked++ % connected.Length], new FetchFrame(first.Reference.Stream, first.Sequence, stream.Bodiless.Last().Sequence, WithBodies: true));
        }
    }

    private void Perform(FinishingStream stream)
    {
        foreach (BatchSend send in _effects.Sends)
        {
            outputs.Send(send);
        }

        foreach (CertificateHandOver handOver in _effects.HandOvers)
        {
            outputs.Send(handOver.To, new CertifiedFrame(handOver.Certificate.Certificate.Bytes, []));
        }

        foreach (CoveredBatch covered in _effects.Covered)
        {
            covered.Batch.BodyOwner!.Dispose();
        }

        // What f + 1 call retired can hardly be certified any more; what was ours until now (P6) is tried on all the same.
        bool isRetired = _effects.End is NewIncarnationNeeded { Reason: RefusalReason.Retired };
        _effects.Clear();
        if (isRetired || stream.Role.End is JournalLost || (stream.Role.IsIdle && stream.Bodiless.Count == 0))
        {
            Remove(stream);
        }
    }

    private void Remove(FinishingStream stream)
    {
        _streams.Remove(stream.Role.Header.Incarnation);
        foreach (VerifiedBatch batch in stream.Role.Uncovered)
        {
            batch.BodyOwner!.Dispose();
        }
    }

    private sealed class FinishingStream(PublisherRole role, IEnumerable<VerifiedStatement> bodiless)
    {
        public PublisherRole Role { get; } = role;

        public Queue<VerifiedStatement> Bodiless { get; } = new(bodiless);
    }
}
