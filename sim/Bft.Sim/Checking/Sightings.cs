using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>All that the messages of a run said, read by the simulator's own readers, each content once.</summary>
/// <remarks>The same frame object goes to all addressees one after the other, so all but the first look at it cost one comparison.</remarks>
internal sealed class Sightings(RunFacts facts)
{
    private readonly Dictionary<ulong, SeenBundle?> _bundles = [];
    private readonly Dictionary<ulong, SeenCertificate?> _certificates = [];
    private readonly Dictionary<ulong, SeenStatement?> _statementsByBytes = [];
    private readonly Dictionary<Digest, SeenStatement> _statements = [];
    private readonly HashSet<SeenRoot> _shown = [];
    private (IFrame? Frame, int From) _last;
    private SeenFrame _lastSeen = SeenFrame.Empty;
    private int _certificateCount;

    /// <summary>Rises when a statement is seen for the first time.</summary>
    public int StatementCount => _statements.Count;

    /// <summary>A root that its own witness showed to somebody.</summary>
    public bool IsShown(in SeenRoot root) => _shown.Contains(root);

    public SeenStatement? Find(Digest digest) => _statements.GetValueOrDefault(digest);

    /// <summary>What a message says, noting what its sender shows of its own.</summary>
    public SeenFrame Of(int from, IFrame frame)
    {
        if (ReferenceEquals(_last.Frame, frame) && _last.From == from)
        {
            return _lastSeen;
        }

        SeenFrame seen = Read(frame);
        _last = (frame, from);
        _lastSeen = seen;
        if (seen.Bundle is { } bundle && bundle.Root.Witness == from)
        {
            _shown.Add(bundle.Root);
        }

        foreach (SeenCertificate certificate in seen.Certificates)
        {
            // A witness's own ack may leave for the first time inside a certificate.
            foreach (SeenAck ack in certificate.Acks)
            {
                if (ack.Witness == from && !_shown.Contains(ack.Root) && IsSigned(ack.Root, ack.Signature) != false)
                {
                    _shown.Add(ack.Root);
                }
            }
        }

        return seen;
    }

    /// <summary>Whether an ack counts as its witness's own: shown by a correct one, or claimed in the name of one that may claim anything.</summary>
    public bool IsGenuine(in SeenAck ack) => !facts.IsCorrect(ack.Witness) || (ack.IsPathSound && IsShown(ack.Root));

    /// <summary>Whether the witness signed a root; null where the run cannot tell.</summary>
    public bool? IsSigned(in SeenRoot root, Signature signature)
    {
        if (facts.Signatures is not { } scheme || root.Witness >= facts.WitnessKeys.Count)
        {
            return null;
        }

        Span<byte> bytes = stackalloc byte[105];
        StatementBytes.WriteRoot(bytes, facts.Cluster, root);
        return scheme.Verify(facts.WitnessKeys[root.Witness], bytes, signature);
    }

    public SeenStatement? Statement(ReadOnlySpan<byte> bytes)
    {
        ulong hash = FastHash.Of(bytes);
        if (!_statementsByBytes.TryGetValue(hash, out SeenStatement? seen))
        {
            seen = StatementBytes.ReadStatement(bytes);
            _statementsByBytes.Add(hash, seen);
            if (seen is not null)
            {
                _statements.TryAdd(seen.Batch.Digest, seen);
            }
        }

        return seen;
    }

    public SeenCertificate? Certificate(ReadOnlySpan<byte> bytes)
    {
        ulong hash = FastHash.Of(bytes);
        if (!_certificates.TryGetValue(hash, out SeenCertificate? seen))
        {
            seen = StatementBytes.ReadCertificate(bytes, facts.Cluster, _certificateCount++);
            _certificates.Add(hash, seen);
        }

        return seen;
    }

    public SeenBundle? Bundle(ReadOnlySpan<byte> bytes)
    {
        ulong hash = FastHash.Of(bytes);
        if (!_bundles.TryGetValue(hash, out SeenBundle? seen))
        {
            seen = StatementBytes.ReadBundle(bytes, facts.Cluster, _bundles.Count);
            _bundles.Add(hash, seen);
        }

        return seen;
    }

    public SeenEvidence? Evidence(ReadOnlySpan<byte> bytes)
    {
        ByteReader reader = new(bytes);
        return reader.U8() switch
        {
            1 when PublisherSide(ref reader) is { } first && PublisherSide(ref reader) is { } second && reader.IsWhole
                => new SeenEvidence(first.Publisher, -1, first.Batch, second.Batch),
            2 when WitnessSide(ref reader) is { } first && WitnessSide(ref reader) is { } second && reader.IsWhole
                => new SeenEvidence(null, first.Witness == second.Witness ? first.Witness : -1, first.Claim, second.Claim),
            _ => null,
        };
    }

    private SeenStatement? PublisherSide(ref ByteReader reader)
    {
        SeenStatement? statement = Statement(reader.Take(reader.U16()));
        reader.Signature();
        return statement;
    }

    private (int Witness, BatchRef Claim)? WitnessSide(ref ByteReader reader)
    {
        SeenBundle? bundle = Bundle(reader.Take(reader.U32()));
        BatchRef? claim = bundle?.Acks[0].Batch;
        for (int left = reader.U16(); left > 0 && !reader.IsBroken; left--)
        {
            SeenStatement? link = Statement(reader.Take(reader.U16()));
            claim = link is not null && link.Batch == claim ? link.Previous : null;
        }

        return bundle is not null && claim is { } reached && reached.Sequence.Value >= bundle.Acks[0].Base ? (bundle.Root.Witness, reached) : null;
    }

    private SeenFrame Read(IFrame frame)
    {
        switch (frame)
        {
            case AcksFrame acks:
                return new SeenFrame { Bundle = Bundle(acks.Bundle.Span) };
            case RecallFrame recall:
                return new SeenFrame { Bundle = Bundle(recall.Bundle.Span) };
            case BatchFrame batch:
                return new SeenFrame { Batch = Statement(batch.Batch.Statement.Span) };
            case TipFrame tip:
                return new SeenFrame { Certificates = Certificates(tip.Certificate) };
            case FloorFrame floor:
                return new SeenFrame { Certificates = Certificates(floor.Certificate) };
            case CertifiedFrame certified:
                Statements(certified.Statements);
                return new SeenFrame { Certificates = Certificates(certified.Certificate) };
            case RefusalFrame refusal:
                Statements(refusal.Original is { } original ? [original] : []);
                return new SeenFrame { Originals = Statements(refusal.Live), Bundle = Bundle(refusal.Acks.Span), Certificates = Certificates(refusal.Certificate) };
            case StandingFrame standing:
                return new SeenFrame { Originals = Statements(standing.Originals), Certificates = [.. standing.Certificates.SelectMany(Certificates)] };
            case EvidenceFrame evidence:
                return new SeenFrame { Evidence = Evidence(evidence.Proof.Span) };
            default:
                return SeenFrame.Empty;
        }
    }

    private SeenCertificate[] Certificates(ReadOnlyMemory<byte> bytes) => Certificate(bytes.Span) is { } seen ? [seen] : [];

    private List<SeenStatement> Statements(IReadOnlyList<SignedStatement> statements) =>
        [.. statements.Select(statement => Statement(statement.Bytes.Span)).OfType<SeenStatement>()];
}
