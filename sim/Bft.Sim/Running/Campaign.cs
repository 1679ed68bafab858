using System.Diagnostics;

namespace Bft.Sim;

/// <summary>Many runs on all cores, each on one thread. What it reports does not depend on threads: results are counted in the order of the seeds.</summary>
/// <param name="perform">Performs one run.</param>
/// <param name="requests">Gives the run of a seed.</param>
internal sealed class Campaign(Func<RunRequest, bool, RunResult> perform, Func<ulong, RunRequest> requests)
{
    /// <summary>Findings that beyond-f expects: so many are kept as examples.</summary>
    public const int ExpectedKept = 10;

    private const int RepeatedPpm = 50_000;
    private const int RepeatEntity = -2;

    private readonly Lock _gate = new();
    private readonly SortedDictionary<ulong, (RunResult Result, Finding? Finding, bool IsRepeated)> _early = [];
    private ulong _next;
    private ulong _counted;
    private bool _isOver;

    public Tally Tally { get; } = new();

    /// <summary>Real time since the start.</summary>
    public Stopwatch Clock { get; } = new();

    /// <summary>Threads. Default: all cores.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>No more runs begin after so many failures. Default: 10.</summary>
    public int FailuresMax { get; init; } = 10;

    /// <summary>No more runs begin then.</summary>
    public TimeSpan Time { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>Performs runs until the last seed, the time, the failures or the token say stop.</summary>
    /// <returns>When all threads are done.</returns>
    public Task RunAsync(ulong first, ulong last, CancellationToken stop)
    {
        _next = first;
        _counted = first;
        Clock.Start();
        return Task.WhenAll(Enumerable.Range(0, Threads).Select(_ => Task.Factory.StartNew(() => Work(last, stop), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)))
            .ContinueWith(done => { Clock.Stop(); return done; }, TaskScheduler.Default).Unwrap();
    }

    private void Work(ulong last, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested && (Time == Timeout.InfiniteTimeSpan || Clock.Elapsed < Time) && TryTake(last, out ulong seed))
        {
            RunRequest request = requests(seed);
            RunResult result = perform(request, false);
            bool isRepeated = result.Violation is not null || new Lot(seed, new ChoiceId(ChoiceStream.Plan, RepeatEntity, 0)).Chance(RepeatedPpm);
            Finding? finding = Expectations.Of(result, isRepeated ? Divergence.Of(result, perform) : null);
            lock (_gate)
            {
                // Lists of every arrival are the repetition's and the shrinker's, not the tally's.
                _early.Add(seed, (result with { Faults = [], Arrivals = [] }, finding, isRepeated));
                CountInOrder();
            }
        }
    }

    private bool TryTake(ulong last, out ulong seed)
    {
        lock (_gate)
        {
            seed = _next;
            if (_isOver || _next > last)
            {
                return false;
            }

            _isOver = _next == last;
            _next = unchecked(_next + 1);
            return true;
        }
    }

    private void CountInOrder()
    {
        while (Tally.FailureCount < FailuresMax && _early.Remove(_counted, out (RunResult Result, Finding? Finding, bool IsRepeated) run))
        {
            _counted = unchecked(_counted + 1);
            Tally.Add(run.Result, run.Finding, run.IsRepeated);
        }

        _isOver |= Tally.FailureCount >= FailuresMax;
    }
}
