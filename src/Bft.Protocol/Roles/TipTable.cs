using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Roles;

/// <summary>The stored tips of all streams, in the order of their ids, and the digest over them (W8; layout in docs/wire.md).</summary>
/// <remarks>Cut into parts by an id's first byte, each with a digest of its own: what a tip that rises costs does not follow how many streams are idle beside it.</remarks>
internal sealed class TipTable
{
    private const int Parts = 256;
    private const int EntryLength = (2 * Digest.Length) + 8;

    private readonly SortedDictionary<StreamId, VerifiedCertificate>?[] _parts = new SortedDictionary<StreamId, VerifiedCertificate>?[Parts];
    private readonly Digest?[] _digests = new Digest?[Parts];
    private Digest? _digest;

    public int Count { get; private set; }

    public Digest Digest => _digest ??= MakeDigest();

    public VerifiedCertificate this[StreamId stream] => _parts[PartOf(stream)]![stream];

    public void Set(VerifiedCertificate tip)
    {
        int part = PartOf(tip.Batch.Stream);
        SortedDictionary<StreamId, VerifiedCertificate> tips = _parts[part] ??= [];
        Count -= tips.Count;
        tips[tip.Batch.Stream] = tip;
        Count += tips.Count;
        _digests[part] = null;
        _digest = null;
    }

    /// <summary>The tips without the first ones; whole parts are skipped.</summary>
    public IEnumerable<VerifiedCertificate> From(int skipped)
    {
        int part = 0;
        for (; part < Parts && skipped >= (_parts[part]?.Count ?? 0); part++)
        {
            skipped -= _parts[part]?.Count ?? 0;
        }

        return _parts.Skip(part).SelectMany(tips => tips?.Values ?? Enumerable.Empty<VerifiedCertificate>()).Skip(skipped);
    }

    private static int PartOf(StreamId stream)
    {
        Span<byte> bytes = stackalloc byte[Digest.Length];
        stream.Digest.CopyTo(bytes);
        return bytes[0];
    }

    /// <summary>Over the digests of the parts, of which those that changed are made anew.</summary>
    private Digest MakeDigest()
    {
        byte[] digests = new byte[Parts * Digest.Length];
        for (int part = 0; part < Parts; part++)
        {
            Digest digest = _digests[part] ??= MakeDigest(_parts[part]);
            digest.CopyTo(digests.AsSpan(part * Digest.Length));
        }

        return Sha256.Hash(digests);
    }

    private static Digest MakeDigest(SortedDictionary<StreamId, VerifiedCertificate>? tips)
    {
        byte[] entries = new byte[EntryLength * (tips?.Count ?? 0)];
        StatementWriter writer = new(entries);
        foreach (VerifiedCertificate tip in tips?.Values ?? Enumerable.Empty<VerifiedCertificate>())
        {
            writer.BatchRef(tip.Batch);
        }

        return Sha256.Hash(entries);
    }
}
