using System.Diagnostics;

namespace Bft.Fuzz;

/// <summary>Changes the inputs of one target for a while, and keeps what gives new outcomes.</summary>
internal sealed class Campaign
{
    /// <summary>Most inputs that are kept; beyond that a new one takes the place of any. Bounds memory to this many times the target's length.</summary>
    private const int KeptMax = 4096;

    private readonly Target _target;
    private readonly Mutator _mutator;
    private readonly LastInput _last;
    private readonly List<byte[]> _kept = [];
    private readonly HashSet<ulong> _shapes = [];

    public Campaign(Target target, ulong seed, LastInput last)
    {
        _target = target;
        _last = last;
        _mutator = new Mutator(new Prng(unchecked(seed * 0x9E3779B97F4A7C15) ^ Outcome.Accepted.With(target.Name).Shape));
    }

    public Target Target => _target;

    public long Executions { get; private set; }

    public int Kept => _kept.Count;

    public int Shapes => _shapes.Count;

    public long AcceptedCount { get; private set; }

    public TimeSpan Elapsed { get; private set; }

    /// <summary>Runs what is known. What breaks there is a finding like any other.</summary>
    public Finding? Begin(IEnumerable<byte[]> corpus)
    {
        foreach (byte[] input in corpus)
        {
            if (Try(input, isKeptAnyway: true) is { } finding)
            {
                return finding;
            }
        }

        return null;
    }

    /// <summary>Goes on until the time is over or something was found.</summary>
    public Finding? Run(TimeSpan time, CancellationToken stop)
    {
        long begun = Stopwatch.GetTimestamp();
        Finding? finding = null;
        while (finding is null && !stop.IsCancellationRequested && Stopwatch.GetElapsedTime(begun) < time)
        {
            finding = Try(NextInput(), isKeptAnyway: false);
        }

        Elapsed += Stopwatch.GetElapsedTime(begun);
        return finding;
    }

    private byte[] NextInput()
    {
        Prng random = _mutator.Random;

        // What was kept last is where the new is.
        int from = random.OneIn(2) ? _kept.Count - 1 - random.Below(Math.Min(64, _kept.Count)) : random.Below(_kept.Count);
        byte[] changed = random.OneIn(3) && _target.Change(_kept[from], _mutator) is { } shaped
            ? shaped
            : _mutator.Change(_kept[from], random.Of(_kept), _target.Words, _target.LengthMax);
        changed = random.OneIn(2) ? _target.Repair(changed) : changed;
        return changed.Length <= _target.LengthMax ? changed : changed[.._target.LengthMax];
    }

    private Finding? Try(byte[] input, bool isKeptAnyway)
    {
        _last.Begin(_target.Name, input);
        Finding? finding = Probe.Of(_target, input, out Outcome outcome, out long allocated);
        _last.End();
        Executions++;
        AcceptedCount += outcome.IsAccepted ? 1 : 0;
        bool isNew = _shapes.Add(outcome.Sized(_target.IsRepeatable ? allocated / 1024 : 0).Shape);
        if ((isNew || isKeptAnyway) && _kept.Count < KeptMax)
        {
            _kept.Add(input);
        }
        else if (isNew)
        {
            _kept[_mutator.Random.Below(KeptMax)] = input;
        }

        return finding;
    }
}
