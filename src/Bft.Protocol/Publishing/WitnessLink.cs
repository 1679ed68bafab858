using Bft.Protocol.Membership;
using Bft.Protocol.Model;

namespace Bft.Protocol.Publishing;

/// <summary>What a publisher knows about one witness.</summary>
internal sealed class WitnessLink(WitnessIndex witness, PublisherOptions options)
{
    private BackOff _resend = new(options.ResendFirstTicks, options.ResendMaxTicks);
    private BackOff _handOver = new(options.HandOverTicks, options.ResendMaxTicks);
    private long _connectedAt;
    private long _resentAt;
    private long _answerTicks; // that an ack took lately

    public WitnessIndex Witness => witness;

    public bool IsConnected { get; set; }

    /// <summary>Highest slot that a verified tip of this witness showed; null when there is none.</summary>
    public Sequence? Tip { get; private set; }

    /// <summary>P3: how long a batch may be on its way. Where acks take long since there is much to do, sending all again only makes more of it.</summary>
    public int PatienceTicks => (int)Math.Clamp(2 * _answerTicks, options.ResendFirstTicks, options.ResendMaxTicks);

    /// <summary>P5: a tip takes about as long.</summary>
    private int HandOverPatienceTicks => (int)Math.Clamp(_answerTicks, options.HandOverTicks, options.ResendMaxTicks);

    public bool IsResendDue(long now) => IsConnected && _resend.IsDue(now);

    public bool IsHandOverDue(long now) => IsConnected && _handOver.IsDue(now);

    /// <summary>P3: it acked a batch.</summary>
    public void OnAck(SentBatch sent, long now)
    {
        // Since it was sent last: what was lost before says nothing of how long an ack takes.
        long took = now - Math.Max(sent.DurableAt ?? now, Math.Max(_connectedAt, _resentAt));
        _answerTicks = Math.Max(took, ((7 * _answerTicks) + took) / 8);
        _resend.Reset(now, PatienceTicks);
    }

    public void OnResent(long now)
    {
        _resentAt = now;
        _resend.Postpone(now);
    }

    public void OnHandedOver(long now) => _handOver.Postpone(now);

    public void OnConnected(long now)
    {
        IsConnected = true;
        _connectedAt = now;
        _resend.Reset(now, PatienceTicks);
        _handOver.Reset(now, HandOverPatienceTicks);
    }

    public void OnTip(Sequence tip, long now)
    {
        if (Tip is null || Tip < tip)
        {
            Tip = tip;
            _handOver.Reset(now, HandOverPatienceTicks);
        }
    }
}
