using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Publishing;

/// <summary>Why a publish has to wait.</summary>
public enum WaitReason
{
    /// <summary>P4: W batches are not covered yet.</summary>
    WindowSlots,

    /// <summary>P4: with this batch more than B bytes would not be covered yet.</summary>
    WindowBytes,

    /// <summary>P7: fewer than n − f witnesses have said what they hold of us.</summary>
    Asking,

    /// <summary>The stream has ended; waiting does not help.</summary>
    Ended,
}

/// <summary>A batch of ours that is not covered yet, or lies above one that is not.</summary>
internal sealed class SentBatch(VerifiedBatch batch)
{
    public VerifiedBatch Batch { get; } = batch;

    /// <summary>When it was first allowed to leave, in ticks; null while its journal record is not durable.</summary>
    public long? DurableAt { get; set; }

    public WitnessSet Acked { get; set; }

    /// <summary>The certificate that covers it; null until there is one.</summary>
    public VerifiedCertificate? Covering { get; set; }

    /// <summary>P6: who refused it for good; one reason each.</summary>
    public SortedDictionary<WitnessIndex, RefusalReason> RefusedBy { get; } = [];

    public bool IsRefusalReported { get; set; }

    public bool IsOwedTo(WitnessIndex witness) => DurableAt is not null && Covering is null && !Acked.Contains(witness);
}

/// <summary>P4: the batches above the highest slot up to which held certificates cover every slot. At most W of them, and B bytes.</summary>
internal sealed class SendWindow(ClusterLimits limits)
{
    private readonly List<SentBatch> _batches = [];

    /// <summary>The lowest slot not covered; every slot below is.</summary>
    public Sequence First { get; private set; }

    /// <summary>The slot of the batch to be signed next.</summary>
    public Sequence End => new(First.Value + (ulong)_batches.Count);

    public long Bytes { get; private set; }

    /// <summary>In the order of their slots.</summary>
    public IReadOnlyList<SentBatch> Batches => _batches;

    public WaitReason? WhyMustWait(int bodyLength) =>
        _batches.Count >= limits.WindowSlots ? WaitReason.WindowSlots
        : Bytes + bodyLength > limits.WindowBytes ? WaitReason.WindowBytes
        : null;

    public SentBatch? Find(Sequence sequence) => sequence < First || sequence >= End ? null : _batches[(int)(sequence.Value - First.Value)];

    /// <summary>The journal begins here: all below is covered.</summary>
    public void BeginAt(Sequence first) => First = first;

    public SentBatch Add(VerifiedBatch batch)
    {
        SentBatch sent = new(batch);
        _batches.Add(sent);
        Bytes += batch.Body.Length;
        return sent;
    }

    /// <summary>Marks what a certificate of ours covers; false when that is nothing new.</summary>
    public bool TryCover(VerifiedCertificate certificate)
    {
        bool isNew = false;
        foreach (SentBatch sent in _batches)
        {
            if (sent.Covering is null && certificate.Covers(sent.Batch.Sequence))
            {
                sent.Covering = certificate;
                isNew = true;
            }
        }

        return isNew;
    }

    /// <summary>Removes the batches at the window's start that are covered.</summary>
    public IReadOnlyList<SentBatch> TakeCovered()
    {
        int count = 0;
        while (count < _batches.Count && _batches[count].Covering is not null)
        {
            Bytes -= _batches[count].Batch.Body.Length;
            count++;
        }

        List<SentBatch> taken = _batches.GetRange(0, count);
        _batches.RemoveRange(0, count);
        First = new Sequence(First.Value + (ulong)count);
        return taken;
    }
}
