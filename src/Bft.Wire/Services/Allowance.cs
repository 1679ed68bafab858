using System.Diagnostics;
using Bft.Wire.Frames;

namespace Bft.Wire.Services;

/// <summary>How much of this party's processor time a witness may cost by what it tells: as much as it was given reason for, and so much per second on top. Thread-safe.</summary>
/// <remarks>
/// Whoever spent it is not read until time has paid for it: a flood waits in the sender's own windows, before nobody but itself, and nothing that is true is refused. Correct parties earn what they
/// cost: witnesses tell each other about as much as they are told, for they sign one root per group commit over the same batches, and a publisher hears of a batch what it sent the batch for.
/// Costs are estimates and the same everywhere; what the clock says would charge an honest witness for a busy machine. Unit of all amounts: microseconds of processor time.
/// </remarks>
/// <param name="perSecond">What everybody may cost.</param>
/// <param name="max">What is saved up at most: what a connection begins with (W8) takes no reason.</param>
public sealed class Allowance(long perSecond = Allowance.DefaultPerSecond, long max = Allowance.DefaultMax)
{
    /// <summary>A twentieth of a processor: some 600 roots a second that nobody had reason for.</summary>
    public const long DefaultPerSecond = 50_000;

    /// <summary>Eight seconds' worth.</summary>
    public const long DefaultMax = 400_000;

    /// <summary>Transport and parsing of a frame, whatever is in it.</summary>
    public const long Frame = 5;

    /// <summary>A verification.</summary>
    public const long Signature = 70;

    private const long PerKiB = 10; // of leaves and paths, which are hashed
    private const long Gather = 1_000; // nobody is woken for one frame at a time

    private const long HourMicroseconds = 3600L * 1_000_000;

    private readonly Lock _lock = new();
    private readonly long _max = max;
    private long _balance = max;
    private long _at;

    /// <summary>What a frame costs, but for signatures.</summary>
    public static long CostOf(IFrame frame) => frame switch
    {
        AcksFrame acks => CostOfAcks(acks.Bundle.Length),
        RecallFrame recall => CostOfAcks(recall.Bundle.Length),
        _ => Frame,
    };

    /// <summary>This party told the other one something, or asked it for something, that is worth so much of an answer.</summary>
    public void Earn(long amount)
    {
        lock (_lock)
        {
            _balance += amount; // cut to the most when it is spent
        }
    }

    /// <summary>The other party cost so much; completes when more of it may be read.</summary>
    /// <param name="amount">At least 0.</param>
    /// <param name="cancellationToken">Nothing more is read.</param>
    public ValueTask PayAsync(long amount, CancellationToken cancellationToken) =>
        Spend(amount, (long)Stopwatch.GetElapsedTime(0).TotalMicroseconds) is { Ticks: > 0 } wait ? new ValueTask(Task.Delay(wait, cancellationToken)) : ValueTask.CompletedTask;

    /// <summary>The other party cost so much.</summary>
    /// <param name="amount">At least 0.</param>
    /// <param name="nowMicroseconds">A clock that only rises.</param>
    /// <returns>How long to wait before more is read.</returns>
    public TimeSpan Spend(long amount, long nowMicroseconds)
    {
        lock (_lock)
        {
            long passed = Math.Clamp(nowMicroseconds - _at, 0, HourMicroseconds);
            _at = Math.Max(_at, nowMicroseconds - (passed * perSecond % 1_000_000 / perSecond));
            _balance = Math.Min(_max, _balance + (passed * perSecond / 1_000_000)) - amount;
            return _balance >= 0 ? TimeSpan.Zero : TimeSpan.FromMicroseconds((Gather - _balance) * 1_000_000 / perSecond);
        }
    }

    private static long CostOfAcks(int bytes) => Frame + (PerKiB * bytes / 1024);
}
