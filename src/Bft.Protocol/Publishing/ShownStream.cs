using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Publishing;

/// <summary>P7: one incarnation of ours as witnesses show it, and our journal if it holds something of it.</summary>
public sealed class ShownStream(StreamHeader header)
{
    private readonly SortedDictionary<Sequence, VerifiedStatement> _originals = []; // bound: what a committee's answers hold
    private readonly SortedSet<Sequence> _forks = [];
    private readonly List<(WitnessIndex Witness, VerifiedCertificate Tip)> _tips = []; // bound: one per witness

    public StreamHeader Header { get; } = header;

    /// <summary>The highest that was shown; null when none was.</summary>
    public VerifiedCertificate? Certificate { get; private set; }

    /// <summary>One above the highest slot shown.</summary>
    public Sequence End
    {
        get
        {
            Sequence end = Certificate?.Batch.Sequence.Following ?? Sequence.Zero;
            return _originals.Count > 0 && _originals.Keys.Last() is var last && last >= end ? last.Following : end;
        }
    }

    public void Add(VerifiedStatement original)
    {
        ArgumentNullException.ThrowIfNull(original);
        if (!_originals.TryAdd(original.Sequence, original) && _originals[original.Sequence].Digest != original.Digest)
        {
            // Two of ours in one slot: a copied key, or a lost journal. Neither is carried on.
            _forks.Add(original.Sequence);
        }
    }

    public void Add(VerifiedCertificate certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        Certificate = Certificate is null || Certificate.Batch.Sequence < certificate.Batch.Sequence ? certificate : Certificate;
    }

    /// <summary>A witness's own tip.</summary>
    public void Add(WitnessIndex witness, VerifiedCertificate tip)
    {
        _tips.RemoveAll(known => known.Witness == witness);
        _tips.Add((witness, tip));
        Add(tip);
    }

    /// <summary>Who showed which tip last.</summary>
    public IReadOnlyList<(WitnessIndex Witness, VerifiedCertificate Tip)> Tips() => _tips;

    /// <summary>The batches above the certificate, each following the one before, from a covered slot or 0 on: what can be finished.</summary>
    public IReadOnlyList<VerifiedStatement> Unfinished()
    {
        List<VerifiedStatement> chain = [];
        Sequence next = Certificate?.Batch.Sequence.Following ?? Sequence.Zero;
        Ancestor? ancestor = Certificate is { } certificate ? Ancestor.Previous(certificate.Batch.Digest) : null;
        while (_originals.TryGetValue(next, out VerifiedStatement? original) && !_forks.Contains(next) && (ancestor is null || original.Statement.Ancestor == ancestor))
        {
            chain.Add(original);
            ancestor = Ancestor.Previous(original.Digest);
            next = next.Following;
        }

        return chain;
    }

    /// <summary>Whether something was shown that is not in what a journal holds: then the journal is behind, or a key was copied.</summary>
    /// <param name="covered">Its batch and all before it are covered; null when none is.</param>
    /// <param name="uncovered">The batches after it, without a gap.</param>
    public bool IsAheadOf(BatchRef? covered, IReadOnlyList<VerifiedStatement> uncovered)
    {
        ArgumentNullException.ThrowIfNull(uncovered);
        ulong first = covered is { } last ? last.Sequence.Value + 1 : 0;
        return _originals.Values.Select(original => original.Reference).Concat(Certificate is { } shown ? [shown.Batch] : []).Any(shown =>
            shown.Sequence.Value >= first ? shown.Sequence.Value - first >= (ulong)uncovered.Count || uncovered[(int)(shown.Sequence.Value - first)].Digest != shown.Digest
            : shown.Sequence.Value == first - 1 && covered!.Value.Digest != shown.Digest);
    }
}
