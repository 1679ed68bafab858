using Bft.Crypto;
using Bft.Protocol.Certifying;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;

namespace Bft.Protocol.Receiving;

/// <summary>R4: the tip lists of the witnesses that are watched, as each told its own.</summary>
/// <remarks>Bounded: at most <see cref="ReceiverOptions.StreamsMax"/> streams per witness. A list with more is no longer compared with its digest.</remarks>
internal sealed class WatchedTips(CommitteeSize size, int streamsMax)
{
    private readonly TipList?[] _lists = new TipList?[size.Count];

    /// <summary>A witness named a tip, true or not: whether it is, the certificate says.</summary>
    public void OnTip(WitnessIndex from, BatchRef tip)
    {
        TipList list = _lists[from.Value] ??= new TipList();
        if (list.Count <= streamsMax)
        {
            list.Set(tip);
        }
    }

    /// <summary>A witness says that its list is complete, and what its digest is. False when that is not the list that it told.</summary>
    public bool IsAsTold(WitnessIndex from, Digest digest)
    {
        TipList list = _lists[from.Value] ??= new TipList();
        return list.Count > streamsMax || list.ToDigest() == digest;
    }

    /// <summary>It is watched no more: the next time it tells all anew.</summary>
    public void Forget(WitnessIndex from) => _lists[from.Value] = null;

    public bool IsWatched(WitnessIndex witness) => _lists[witness.Value] is not null;

    /// <summary>Null: the stream is not in the witness's list.</summary>
    public Sequence? TipOf(WitnessIndex witness, StreamId stream) => _lists[witness.Value]?.TipOf(stream)?.Sequence;
}
