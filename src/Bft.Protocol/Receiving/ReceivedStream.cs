using Bft.Crypto;
using Bft.Protocol.Certifying;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Receiving;

/// <summary>A covered slot that is not delivered yet.</summary>
internal sealed class BufferedBatch(VerifiedStatement statement, CertifiedRange range, bool isAckedByAll)
{
    public VerifiedStatement Statement { get; } = statement;

    public CertifiedRange Range { get; } = range;

    /// <summary>R5: a certificate with the acks of all n covers it.</summary>
    public bool IsAckedByAll { get; set; } = isAckedByAll;

    /// <summary>Null until the body is here.</summary>
    public VerifiedBatch? Batch { get; set; }
}

/// <summary>One stream as its receiver knows it. Bounded: it holds statements of less than two windows, and a tip per witness.</summary>
internal sealed class ReceivedStream(StreamId id, CursorPosition start, Committee committee, ReceiverOptions options)
{
    private readonly List<BufferedBatch> _buffer = [];
    private readonly Sequence?[] _tips = new Sequence?[committee.Size.Count];
    private readonly List<ReceivedStream> _followers = [];
    private BackOff _handOver = new(options.HandOverTicks, options.RetryMaxTicks);
    private BackOff _lag = new(options.LagTicks, options.RetryMaxTicks);
    private CertifiedRange? _lastRange;
    private Sequence? _goal;
    private long _turnEnd;
    private Digest? _last = start.Last == default ? null : start.Last;

    public StreamId Id => id;

    /// <summary>The slot delivered next.</summary>
    public Sequence Next { get; private set; } = start.Next;

    /// <summary>The slot above the highest one whose statement is here.</summary>
    public Sequence End => new(Next.Value + (ulong)_buffer.Count);

    /// <summary>The batch delivered next, when its statement is here.</summary>
    public BufferedBatch? Head => _buffer.Count > 0 ? _buffer[0] : null;

    /// <summary>Another window of statements fits.</summary>
    public bool HasRoom => _buffer.Count < committee.Limits.WindowSlots;

    /// <summary>The highest slot known certified: by a tip, or as the target of a covered link.</summary>
    public Sequence? Certified { get; private set; }

    /// <summary>What was served and not taken, and why; null when there is no such thing.</summary>
    public WantedReason? Starved { get; set; }

    /// <summary>R4: what was proven certified some time ago, for the tips of others to be compared with.</summary>
    public Sequence? CertifiedBefore { get; set; }

    /// <summary>R4: what the witnesses say about the stream's lower end; null until one names a floor.</summary>
    public StreamFloors? Floors { get; set; }

    /// <summary>Whether the role looks at it on ticks.</summary>
    public bool IsWatched { get; set; }

    public WitnessIndex? Server { get; set; }

    /// <summary>The highest tip proven with its certificate, for what it says about a slot that is not served yet (R4).</summary>
    public VerifiedCertificate? HighestTip { get; private set; }

    /// <summary>It was asked for, and nothing came of that yet.</summary>
    public bool IsWanted { get; set; }

    /// <summary>R2: what the first batch links to; null when it links to nothing or is not known yet.</summary>
    public (ReceivedStream Stream, Sequence Sequence)? LinkTarget { get; set; }

    /// <summary>The lowest slot of which the statement or the body is missing.</summary>
    public Sequence Missing
    {
        get
        {
            int complete = _buffer.FindIndex(buffered => buffered.Batch is null);
            return complete < 0 ? End : new Sequence(Next.Value + (ulong)complete);
        }
    }

    public bool IsBehind => Certified >= Missing;

    public BufferedBatch? Find(Sequence sequence) => sequence < Next || sequence >= End ? null : _buffer[(int)(sequence.Value - Next.Value)];

    /// <summary>Only the hold of f + 1 witnesses is missing (R5).</summary>
    public bool IsGated => Head is { Batch: not null } head && IsLinkDelivered && !IsHeldByEnough(head);

    /// <summary>R2: nothing stands before the batch that is next, or it was delivered, or lies before the cursor's start or an accepted floor.</summary>
    public bool IsLinkDelivered => LinkTarget is not { } target || !Next.IsFirst || target.Stream.Next > target.Sequence;

    /// <summary>The digest known in a slot: buffered, delivered last, or the highest tip's; null when none is.</summary>
    public Digest? DigestAt(Sequence sequence) =>
        Find(sequence)?.Statement.Digest
        ?? (IsLast(sequence) ? _last : HighestTip?.Batch.Sequence == sequence ? HighestTip.Batch.Digest : null);

    /// <summary>What is known to be claimed in a slot that has a digest; null when it was delivered before this run.</summary>
    public CertifiedClaim? ClaimAt(Sequence sequence)
    {
        CertifiedRange? range = IsLast(sequence) ? _lastRange : Find(sequence)?.Range;
        return range is not null ? CertifiedClaim.Of(range, sequence)
            : HighestTip?.Batch.Sequence == sequence ? new CertifiedClaim(HighestTip, [])
            : null;
    }

    /// <summary>A link's target: W1 acks a link only where the target is stored, so it is certified.</summary>
    public void AddFollower(ReceivedStream follower, Sequence target)
    {
        follower.LinkTarget = (this, target);
        _followers.Add(follower);
        OnCertified(target);
    }

    /// <summary>The streams whose links are delivered by now.</summary>
    public IReadOnlyList<ReceivedStream> TakeReleasedFollowers()
    {
        List<ReceivedStream> released = _followers.FindAll(follower => follower.IsLinkDelivered);
        _followers.RemoveAll(released.Contains);
        return released;
    }

    /// <summary>A tip of a slot that is known covered. False when the witness showed as much before.</summary>
    public bool OnTip(WitnessIndex witness, Sequence tip)
    {
        OnCertified(tip);
        ref Sequence? known = ref _tips[witness.Value];
        if (known >= tip)
        {
            return false;
        }

        known = tip;
        Floors?.OnTip(witness, tip);
        return true;
    }

    /// <summary>A tip with its proof.</summary>
    public bool OnTip(WitnessIndex witness, VerifiedCertificate tip)
    {
        if (HighestTip is null || HighestTip.Batch.Sequence < tip.Batch.Sequence)
        {
            HighestTip = tip;
        }

        return OnTip(witness, tip.Batch.Sequence);
    }

    /// <summary>The highest slot that this witness showed; null when it showed none.</summary>
    public Sequence? TipOf(WitnessIndex witness) => _tips[witness.Value];

    public bool IsTipBelow(WitnessIndex witness, Sequence slot) => _tips[witness.Value] is not { } tip || tip < slot;

    /// <summary>R5: f + 1 witnesses hold a covering certificate durably, so one correct witness does; or all n acked.</summary>
    public bool IsHeldByEnough(BufferedBatch buffered) =>
        buffered.IsAckedByAll || _tips.Count(tip => tip >= buffered.Statement.Sequence) >= committee.Size.OneCorrect;

    /// <summary>R5: marks the slots that a certificate with all acks covers.</summary>
    public void OnAckedByAll(VerifiedCertificate certificate)
    {
        foreach (BufferedBatch buffered in _buffer)
        {
            buffered.IsAckedByAll |= certificate.Covers(buffered.Statement.Sequence);
        }
    }

    public bool IsHandOverDue(long now) => IsGated && _handOver.IsDue(now);

    /// <summary>R4: nothing was served for a while, or not enough for long (a witness that trickles is slower than its stream for ever).</summary>
    public bool IsLagDue(long now) => IsBehind && (_lag.IsDue(now) || now >= _turnEnd);

    public void OnHandedOver(long now) => _handOver.Postpone(now);

    public void OnAskedFor(long now)
    {
        _lag.Postpone(now);
        BeginTurn(now);
    }

    /// <summary>A witness begins to serve, or we did not read: it gets the full time.</summary>
    public void OnServing(long now)
    {
        _lag.Reset(now);
        BeginTurn(now);
    }

    /// <summary>Something was served.</summary>
    public void OnServed(long now)
    {
        IsWanted = false;
        _lag.Reset(now);
        if (Missing > _goal)
        {
            BeginTurn(now);
        }
    }

    /// <summary>The stream begins to be watched.</summary>
    public void OnWatched(long now)
    {
        _handOver.Reset(now);
        OnServing(now);
    }

    /// <summary>Something was delivered.</summary>
    public void OnProgress(long now)
    {
        _handOver.Reset(now);
        _lag.Reset(now);
    }

    /// <summary>What is covered here of the slots that a witness asks for, with what is here of their bodies (R5).</summary>
    public IReadOnlyList<(CertifiedRange Range, List<VerifiedBatch> Batches)> CoveredBetween(Sequence from, Sequence to, long bodyBytesMax)
    {
        long bytes = 0;
        List<(CertifiedRange, List<VerifiedBatch>)> covered = [];
        foreach (IGrouping<CertifiedRange, BufferedBatch> group in _buffer
            .Where(buffered => buffered.Statement.Sequence >= from && buffered.Statement.Sequence <= to)
            .GroupBy(buffered => buffered.Range))
        {
            List<VerifiedBatch> batches = [];
            foreach (BufferedBatch buffered in group)
            {
                if (buffered.Batch is { } batch && (bytes += batch.Body.Length) <= bodyBytesMax)
                {
                    batches.Add(batch);
                }
            }

            covered.Add((group.Key, batches));
        }

        return covered;
    }

    /// <summary>Appends what a range has above the end.</summary>
    public void Append(CertifiedRange range)
    {
        bool isAckedByAll = range.Certificate.WitnessCount == committee.Size.Count;
        foreach (VerifiedStatement statement in range.Statements)
        {
            if (statement.Sequence >= End)
            {
                _buffer.Add(new BufferedBatch(statement, range, isAckedByAll));
            }
        }
    }

    /// <summary>Removes the head: it is delivered.</summary>
    public void Take()
    {
        BufferedBatch taken = _buffer[0];
        _buffer.RemoveAt(0);
        Next = Next.Following;
        _last = taken.Statement.Digest;
        _lastRange = taken.Range;
    }

    /// <summary>Skips what lies below an accepted floor and returns the body bytes that go with it.</summary>
    public long SkipTo(Sequence floor)
    {
        long bytes = 0;
        while (Head is { } head && Next < floor)
        {
            bytes += head.Batch?.Body.Length ?? 0;
            Take();
        }

        if (Next < floor)
        {
            Next = floor;
            _last = null;
            _lastRange = null;
        }

        return bytes;
    }

    private void BeginTurn(long now)
    {
        _goal = Certified;
        _turnEnd = now + options.CatchUpTicks;
    }

    private bool IsLast(Sequence sequence) => !Next.IsFirst && sequence == Next.Preceding;

    private void OnCertified(Sequence sequence) => Certified = Certified is null || Certified < sequence ? sequence : Certified;
}
