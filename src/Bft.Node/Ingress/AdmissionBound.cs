using Bft.Crypto;

namespace Bft.Node;

/// <summary>How much may be under way behind the gate, so that it takes about <see cref="TargetMicroseconds"/> until it is durable: as much as was done in that time lately.</summary>
/// <remarks>
/// All wait behind what is admitted, so its length counts in time and not in bytes. By Little's law the bound is rate × time; where the time is shorter than the target (the disk waits) the bound, and with it
/// the rate, grow by that ratio, and where it is longer (the processor is what is short) they shrink. A party that is alone makes nobody wait, and may have as much as keeps disk and processor busy. No clock
/// of its own.
/// </remarks>
/// <param name="min">Never less, or the disk would idle between group commits. Unit: bytes.</param>
/// <param name="max">Never more, and what one gets that is alone. Unit: bytes.</param>
internal sealed class AdmissionBound(long min, long max)
{
    public const long TargetMicroseconds = 10_000;

    /// <summary>Two that ask within such a time share. Unit: microseconds.</summary>
    private const long SharedMicroseconds = 10_000_000;

    private PublicKey? _last;
    private long _sharedUntil = long.MinValue;
    private long _shared;
    private long _since;
    private long _done;
    private bool _wasFull;

    /// <summary>Unit: bytes.</summary>
    /// <param name="nowMicroseconds">A clock that only rises.</param>
    public long BytesAt(long nowMicroseconds) => nowMicroseconds < _sharedUntil ? Math.Max(_shared, min) : max;

    /// <param name="party">Who wants something.</param>
    /// <param name="nowMicroseconds">A clock that only rises.</param>
    public void OnAsked(PublicKey party, long nowMicroseconds)
    {
        if (_last is { } last && last != party)
        {
            _sharedUntil = nowMicroseconds + SharedMicroseconds;
        }

        _last = party;
    }

    /// <summary>Somebody waits, so that what is done meanwhile is what can be done.</summary>
    public void OnFull() => _wasFull = true;

    /// <param name="bytes">What is durable now.</param>
    /// <param name="nowMicroseconds">A clock that only rises.</param>
    public void OnDone(long bytes, long nowMicroseconds)
    {
        _done += bytes;
        long passed = nowMicroseconds - _since;
        if (passed < TargetMicroseconds)
        {
            return;
        }

        // What was done while nobody waited says nothing, and what took seconds is a pause.
        if (_wasFull && passed < 100 * TargetMicroseconds)
        {
            long wanted = _done * TargetMicroseconds / passed;
            _shared = Math.Clamp(Math.Clamp(wanted, _shared / 2, _shared * 2), min, max);
        }

        (_since, _done, _wasFull) = (nowMicroseconds, 0, false);
    }
}
