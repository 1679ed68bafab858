using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Certifying;

/// <summary>The stored tips that one witness told somebody, and the digest over all of them by which both sides know that none is missing (R4, W8).</summary>
/// <remarks>About 150 bytes per stream; whoever is told bounds how many.</remarks>
public sealed class TipList
{
    private const int EntryLength = Digest.Length + 8 + Digest.Length;

    private readonly SortedDictionary<StreamId, BatchRef> _tips = [];
    private Digest? _digest;

    public int Count => _tips.Count;

    public bool Contains(StreamId stream) => _tips.ContainsKey(stream);

    /// <summary>The tip told last; null when the stream was not named.</summary>
    public BatchRef? TipOf(StreamId stream) => _tips.TryGetValue(stream, out BatchRef tip) ? tip : null;

    public void Set(BatchRef tip)
    {
        _tips[tip.Stream] = tip;
        _digest = null;
    }

    public void Remove(StreamId stream)
    {
        if (_tips.Remove(stream))
        {
            _digest = null;
        }
    }

    /// <summary>SHA-256 over (stream id ‖ sequence ‖ batch digest) of each tip, in ascending order of stream id. Costs nothing while the list is unchanged.</summary>
    public Digest ToDigest()
    {
        if (_digest is not { } digest)
        {
            byte[] bytes = new byte[_tips.Count * EntryLength];
            StatementWriter writer = new(bytes);
            foreach (BatchRef tip in _tips.Values)
            {
                writer.Digest(tip.Stream.Digest);
                writer.U64(tip.Sequence.Value);
                writer.Digest(tip.Digest);
            }

            _digest = digest = Sha256.Hash(bytes);
        }

        return digest;
    }
}
