using System.Diagnostics;

namespace Bft.Cli.Clusters;

/// <summary>Ends waiting that has become pointless: nothing moved for a given time, or no witness was ever reached.</summary>
/// <remarks>Time counts while something is waited for, and begins anew with each sign of progress.</remarks>
internal sealed class Patience : IAsyncDisposable
{
    /// <summary>Without --timeout: a witness that starts needs a moment, one that is not there never answers.</summary>
    private static readonly TimeSpan FirstAnswer = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    private readonly WitnessWatch _watch;
    private readonly Func<bool> _isWaiting;
    private readonly string _what;
    private readonly TimeSpan? _limit;
    private readonly TimeSpan _firstAnswer;
    private readonly CancellationTokenSource _source;
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _watching;
    private long _since = Stopwatch.GetTimestamp();

    /// <param name="watch">Knows who answers.</param>
    /// <param name="chosen">What --timeout says; null when it was not given.</param>
    /// <param name="byDefault">What it is otherwise; null: for ever.</param>
    /// <param name="isWaiting">Something is waited for now.</param>
    /// <param name="what">What did not happen: the beginning of a sentence.</param>
    /// <param name="interrupted">Ends the waiting too.</param>
    public Patience(WitnessWatch watch, TimeSpan? chosen, TimeSpan? byDefault, Func<bool> isWaiting, string what, CancellationToken interrupted)
    {
        _watch = watch;
        _limit = chosen ?? byDefault;
        _firstAnswer = chosen ?? FirstAnswer;
        _isWaiting = isWaiting;
        _what = what;
        _source = CancellationTokenSource.CreateLinkedTokenSource(interrupted);
        _watching = WatchAsync();
    }

    /// <summary>Cancelled when the time is over, or by a signal.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Why it was given up; null before, and after a signal.</summary>
    public CommandException? Failure { get; private set; }

    /// <summary>Something moved.</summary>
    public void OnProgress() => Volatile.Write(ref _since, Stopwatch.GetTimestamp());

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _source.Dispose();
        _ending.Dispose();
    }

    private async Task WatchAsync()
    {
        using PeriodicTimer timer = new(Step);
        while (await timer.WaitForNextTickAsync(_ending.Token))
        {
            if (!_isWaiting())
            {
                OnProgress();
                continue;
            }

            TimeSpan waited = Stopwatch.GetElapsedTime(Volatile.Read(ref _since));
            TimeSpan? limit = _watch.WasReached ? _limit : _firstAnswer;
            if (waited > limit)
            {
                Failure = _watch.WhyNothing(limit.Value, _what);
                await _source.CancelAsync();
                return;
            }
        }
    }
}
