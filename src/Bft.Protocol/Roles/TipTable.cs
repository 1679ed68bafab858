using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Protocol.Roles;

/// <summary>The stored tips of all streams, in the order of their ids, and the digest over them (W8; layout in docs/wire.md).</summary>
/// <remarks>Each part of the table has a digest of its own: what a tip that rises costs does not follow how many streams are idle beside it.</remarks>
internal sealed class TipTable
{
    private const int EntryLength = (2 * Digest.Length) + 8;

    private readonly StreamTable<StreamWitness> _streams = new();
    private readonly Digest?[] _digests = new Digest?[StreamTable<StreamWitness>.Parts];
    private Digest? _digest;

    public int Count => _streams.Count;

    public Digest Digest => _digest ??= MakeDigest();

    /// <summary>The stream's stored tip rose.</summary>
    public void OnRisen(StreamWitness stream)
    {
        _streams.TryAdd(stream);
        _digests[StreamTable<StreamWitness>.PartOf(stream.Id)] = null;
        _digest = null;
    }

    /// <summary>The tips without the first ones.</summary>
    public IEnumerable<BatchRef> From(int skipped) => _streams.From(skipped).Select(stream => stream.StoredTip!.Value);

    /// <summary>Over the digests of the parts, of which those that changed are made anew.</summary>
    private Digest MakeDigest()
    {
        byte[] digests = new byte[_digests.Length * Digest.Length];
        for (int part = 0; part < _digests.Length; part++)
        {
            Digest digest = _digests[part] ??= MakeDigest(_streams.Part(part));
            digest.CopyTo(digests.AsSpan(part * Digest.Length));
        }

        return Sha256.Hash(digests);
    }

    private static Digest MakeDigest(ReadOnlySpan<StreamWitness> streams)
    {
        byte[] entries = new byte[EntryLength * streams.Length];
        StatementWriter writer = new(entries);
        foreach (StreamWitness stream in streams)
        {
            writer.BatchRef(stream.StoredTip!.Value);
        }

        return Sha256.Hash(entries);
    }
}
