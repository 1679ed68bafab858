using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Publishing;
using Bft.Protocol.Roles;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;
using RoleOptions = Bft.Protocol.Publishing.PublisherOptions;

namespace Bft.Client;

/// <summary>P7: what witnesses and journal know of this publisher's earlier runs in the topic: whether the last one goes on, what a new one links to, and what is finished beside it.</summary>
internal sealed class EarlierRuns
{
    private readonly Committee _committee;
    private readonly Topic _topic;
    private readonly ISigner _signer;
    private readonly RoleOptions _options;
    private readonly PublisherReplay? _journal;
    private readonly IPublisherOutputs _outputs;
    private readonly Inquiry _inquiry;
    private readonly FinishingStreams _finishing;
    private RestoredStream? _restored;
    private ShownStream? _linkTarget;
    private WitnessSet _connected;

    public EarlierRuns(Committee committee, Topic topic, ISigner signer, ISignatureScheme scheme, RoleOptions options, PublisherJournal? journal, AckVerifier acks, IPublisherOutputs outputs)
    {
        _committee = committee;
        _topic = topic;
        _signer = signer;
        _options = options;
        _journal = journal?.Found;
        _outputs = outputs;
        _inquiry = new Inquiry(committee, options);
        BatchVerifier batches = new(committee.Cluster, committee.Limits, scheme);
        _finishing = new FinishingStreams(committee, batches, outputs);
        if (journal?.Found.Incarnation is { } incarnation)
        {
            _restored = journal.Found.TryRestore(journal, HeaderOf(incarnation), batches, acks);
        }
    }

    /// <summary>What the journal held, until it is decided what becomes of it.</summary>
    public IEnumerable<VerifiedBatch> Held => _restored?.Uncovered ?? [];

    /// <summary>Witnesses that have answered.</summary>
    public int Answers => _inquiry.Answers;

    /// <summary>Enough have.</summary>
    public bool IsAnswered => _inquiry.IsAnswered;

    public StreamHeader HeaderOf(Incarnation incarnation) => new(_committee.Cluster, _signer.PublicKey, _topic, incarnation);

    public void OnConnected(WitnessIndex witness)
    {
        _connected = _connected.With(witness);
        if (_inquiry.OnConnected(witness))
        {
            Ask(witness);
        }

        SendTarget(witness);
        _finishing.OnConnected(witness);
    }

    public void OnDisconnected(WitnessIndex witness)
    {
        _connected = _connected.Without(witness);
        _inquiry.OnDisconnected(witness);
        _finishing.OnDisconnected(witness);
    }

    public void OnTick()
    {
        foreach (WitnessIndex witness in _inquiry.OnTick())
        {
            Ask(witness);
        }

        _finishing.OnTick();
    }

    public void OnStanding(WitnessIndex witness, CheckedStanding standing)
    {
        _inquiry.OnStanding(witness, standing);
        foreach (VerifiedCertificate tip in standing.Certificates)
        {
            _finishing.On(tip.Batch.Stream, (role, effects) => role.OnTip(witness, tip, effects));
        }
    }

    /// <summary>W11: originals that a refusal showed.</summary>
    public void OnShown(IEnumerable<VerifiedStatement> originals) =>
        _inquiry.Add(originals.Where(shown => shown.Statement.Header.Publisher == _signer.PublicKey && shown.Statement.Header.Topic == _topic));

    public void OnAcks(IReadOnlyList<VerifiedAck> acks) => _finishing.OnAcks(acks);

    public void OnBody(BodyFrame body) => _finishing.OnBody(body);

    /// <inheritdoc cref="FinishingStreams.On"/>
    public void On(StreamId stream, Action<PublisherRole, PublisherEffects> input) => _finishing.On(stream, input);

    /// <summary>Why the journal's incarnation is not continued; null when it is (<see cref="Continue"/>).</summary>
    public string? WhyNotContinued() =>
#if PLANTED
        Planted.Is("sequence-reused") && _restored is not null ? null :
#endif
        _journal is null ? "No journal is kept."
        : _journal.Incarnation is not { } incarnation || _restored is not { } restored ? "The journal holds nothing to go on with."
        : _journal.IsAbandoned ? "The journal's last incarnation was given up, or the journal's end was torn."
        : _inquiry.Highest > incarnation || _inquiry.StreamOf(HeaderOf(incarnation)).IsAheadOf(restored.Covered?.Batch, [.. restored.Uncovered.Select(batch => batch.Statement)])
            ? "The witnesses show batches of ours that the journal does not hold."
        : null;

    /// <summary>The journal's stream, whose bodies are the caller's now.</summary>
    public (StreamHeader Header, RestoredStream Stream) Continue()
    {
        RestoredStream restored = _restored!;
        _restored = null;
        return (HeaderOf(_journal!.Incarnation!.Value), restored);
    }

    /// <summary>What a new incarnation is above, and follows: the highest certified batch that is known. All witnesses are given its certificate.</summary>
    public (Incarnation Above, Ancestor Link) Succeed()
    {
        if (_restored is { } restored)
        {
            ShownStream ours = _inquiry.StreamOf(HeaderOf(_journal!.Incarnation!.Value));
            _inquiry.Add(restored.Uncovered.Select(batch => batch.Statement));
            if (restored.Covered is { } covered)
            {
                ours.Add(covered);
            }
        }

        Ancestor link = default;
        if (_inquiry.Certified is { Certificate: { } target } linked)
        {
            link = Ancestor.Link(linked.Header.Incarnation, target.Batch.Sequence, target.Batch.Digest);
            _linkTarget = linked;
            foreach (WitnessIndex witness in _committee.Members.Where(_connected.Contains))
            {
                SendTarget(witness);
            }
        }

        Incarnation known = _journal?.Highest ?? default;
        return (_inquiry.Highest > known ? _inquiry.Highest : known, link);
    }

    /// <summary>What was shown and is not certified is sent again, beside the current stream; and so is the certificate that it links to.</summary>
    public void FinishShown(StreamId current)
    {
        Dictionary<Digest, VerifiedBatch> bodies = _restored?.Uncovered.ToDictionary(batch => batch.Digest) ?? [];
        _restored = null;
        foreach (ShownStream shown in _inquiry.Shown)
        {
            IReadOnlyList<VerifiedStatement> unfinished = shown.Unfinished();
            bool isWork = unfinished.Count > 0 || shown == _linkTarget;
            if (isWork && shown.Header.Id != current && !_finishing.Has(shown.Header.Incarnation))
            {
                List<VerifiedBatch> held = [];
                while (held.Count < unfinished.Count && bodies.Remove(unfinished[held.Count].Digest, out VerifiedBatch? batch))
                {
                    held.Add(batch);
                }

                PublisherRole role = new(_committee, shown.Header, _signer, _options);
                role.Restore(shown.Certificate, held);
                foreach ((WitnessIndex witness, VerifiedCertificate tip) in shown.Tips())
                {
                    role.TryTip(witness, tip.Batch);
                }

                _finishing.Add(role, unfinished.Skip(held.Count));
            }
        }

        foreach (VerifiedBatch batch in bodies.Values)
        {
            batch.BodyOwner!.Dispose();
        }
    }

    /// <summary>P6: the current stream is given up: what it sent is finished, what lives is asked for again, and a new one follows its last covered batch.</summary>
    /// <param name="role">Of the stream; owns its batches' bodies.</param>
    /// <param name="covered">Its batch and all before it are covered; null when none is.</param>
    public void Leave(PublisherRole role, VerifiedCertificate? covered)
    {
        _inquiry.AskAgain();
        ShownStream left = _inquiry.StreamOf(role.Header);
        if (covered is not null)
        {
            left.Add(covered);
        }

        _finishing.Add(role, []);
    }

    /// <summary>Gives all bodies back.</summary>
    public void End()
    {
        foreach (VerifiedBatch batch in Held)
        {
            batch.BodyOwner!.Dispose();
        }

        _restored = null;
        _finishing.End();
    }

    private void Ask(WitnessIndex witness) => _outputs.Send(witness, new InquiryFrame(_topic));

    /// <summary>W1: a batch with a link is acked only where the link's target is stored.</summary>
    private void SendTarget(WitnessIndex witness)
    {
        if (_linkTarget?.Certificate is { } target)
        {
            _outputs.Send(witness, new CertifiedFrame(target.Certificate.Bytes, []));
        }
    }
}
