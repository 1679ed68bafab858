using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Publishing;

/// <summary>P7: asks the witnesses for our live incarnations in a topic and the highest certified one, and gathers what they prove.</summary>
public sealed class Inquiry
{
    private readonly CommitteeSize _size;
    private readonly BackOff[] _retries;
    private readonly PublisherOptions _options;
    private readonly SortedDictionary<Incarnation, ShownStream> _shown = []; // bound: each is proven by an original of our own
    private Incarnation _highest;
    private WitnessSet _connected;
    private WitnessSet _answered;
    private long _now;

    public Inquiry(Committee committee, PublisherOptions options)
    {
        ArgumentNullException.ThrowIfNull(committee);
        ArgumentNullException.ThrowIfNull(options);
        _size = committee.Size;
        _options = options;
        _retries = [.. committee.Members.Select(_ => new BackOff(options.ResendFirstTicks, options.ResendMaxTicks))];
    }

    /// <summary>How many have answered since the last <see cref="AskAgain"/>.</summary>
    public int Answers => _answered.Count;

    /// <summary>n − f have answered: a correct one of them is in each quorum, so nothing certified stays hidden.</summary>
    public bool IsAnswered => _answered.Count >= _size.Responsive;

    /// <summary>All that was shown, ascending.</summary>
    public IReadOnlyCollection<ShownStream> Shown => _shown.Values;

    /// <summary>The highest incarnation that was ever shown; zero when none was.</summary>
    public Incarnation Highest => _highest;

    /// <summary>The highest certified incarnation that was shown: what a new one links to.</summary>
    public ShownStream? Certified => _shown.Values.LastOrDefault(stream => stream.Certificate is not null);

    /// <summary>A session is open. Returns whether to ask this witness now.</summary>
    public bool OnConnected(WitnessIndex witness)
    {
        _connected = _connected.With(witness);
        _retries[witness.Value].Reset(_now);
        return !_answered.Contains(witness);
    }

    public void OnDisconnected(WitnessIndex witness) => _connected = _connected.Without(witness);

    /// <summary>Time passes. Returns whom to ask again.</summary>
    public IReadOnlyList<WitnessIndex> OnTick()
    {
        _now++;
        List<WitnessIndex> due = [];
        for (int i = 0; i < _retries.Length; i++)
        {
            WitnessIndex witness = new(i);
            if (_connected.Contains(witness) && !_answered.Contains(witness) && _retries[i].IsDue(_now))
            {
                _retries[i].Postpone(_now);
                due.Add(witness);
            }
        }

        return due;
    }

    /// <summary>A witness's answer, after verification. It may come late, and then adds what it shows.</summary>
    public void OnStanding(WitnessIndex witness, CheckedStanding standing)
    {
        ArgumentNullException.ThrowIfNull(standing);
        _answered = _answered.With(witness);
        Add(standing.Originals);
        foreach (VerifiedCertificate certificate in standing.Certificates)
        {
            if (_shown.Values.FirstOrDefault(stream => stream.Header.Id == certificate.Batch.Stream) is { } stream)
            {
                stream.Add(witness, certificate);
            }
        }
    }

    /// <summary>Originals of our own that somebody showed, or that the journal holds.</summary>
    public void Add(IEnumerable<VerifiedStatement> originals)
    {
        ArgumentNullException.ThrowIfNull(originals);
        foreach (VerifiedStatement original in originals)
        {
            StreamOf(original.Statement.Header).Add(original);
        }
    }

    /// <summary>What is known of an incarnation of ours, perhaps nothing yet.</summary>
    public ShownStream StreamOf(StreamHeader header)
    {
        ArgumentNullException.ThrowIfNull(header);
        if (!_shown.TryGetValue(header.Incarnation, out ShownStream? stream))
        {
            stream = new ShownStream(header);
            _shown.Add(header.Incarnation, stream);
            _highest = header.Incarnation > _highest ? header.Incarnation : _highest;
        }

        return stream;
    }

    /// <summary>P6: what lives may have changed. All that are connected are asked at the next tick.</summary>
    public void AskAgain()
    {
        _answered = WitnessSet.Empty;
        ShownStream? certified = Certified;
        _shown.Clear();
        if (certified is { Certificate: { } target })
        {
            StreamOf(certified.Header).Add(target);
        }

        Array.Fill(_retries, new BackOff(_options.ResendFirstTicks, _options.ResendMaxTicks));
    }
}
