using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Publishing;

/// <summary>P5: certificates that fewer than n − f witnesses show, oldest first. At most W; an older one is left to the witnesses' own exchange (W8).</summary>
internal sealed class HandOverQueue(Committee committee, int delayTicks)
{
    /// <summary>Most certificates handed to one witness at a time: about 16 × 1.5 KiB.</summary>
    private const int BurstMax = 16;

    private readonly List<(VerifiedCertificate Certificate, long Since)> _pending = [];

    public bool IsEmpty => _pending.Count == 0;

    public void Add(VerifiedCertificate certificate, long now)
    {
        if (_pending.Count == committee.Limits.WindowSlots)
        {
            _pending.RemoveAt(0);
        }

        _pending.Add((certificate, now));
    }

    /// <summary>Drops what n − f witnesses show.</summary>
    public void OnTips(IEnumerable<WitnessLink> links)
    {
        Sequence?[] tips = [.. links.Select(link => link.Tip).OrderDescending()];
        if (tips[committee.Size.Responsive - 1] is { } shown)
        {
            _pending.RemoveAll(pending => pending.Certificate.Batch.Sequence <= shown);
        }
    }

    public List<VerifiedCertificate> DueTo(WitnessLink link, long now)
    {
        List<VerifiedCertificate> due = [];
        foreach ((VerifiedCertificate certificate, long since) in _pending)
        {
            if (due.Count < BurstMax && since + delayTicks <= now && (link.Tip is not { } tip || tip < certificate.Batch.Sequence))
            {
                due.Add(certificate);
            }
        }

        return due;
    }
}
