namespace Bft.Sim.Tests.Support;

/// <summary>Runs that are not performed but made up: faults and messages by number, and a rule for what fails.</summary>
internal sealed class FakeRuns(int faults, int messages, Func<RunRequest, Func<ChoiceId, bool>, string?> checker)
{
    public int Performed { get; private set; }

    public static ChoiceId Fault(int index) => new(ChoiceStream.Crash, 0, index);

    public static ChoiceId Broadcast(int index) => new(ChoiceStream.Workload, 4, index);

    public static ChoiceId Message(int index) => new(ChoiceStream.Delivery, index % 7, index / 7);

    public RunResult Perform(RunRequest request, bool withTrace)
    {
        Performed++;
        bool Has(ChoiceId id) => !request.Removed.Contains(id);
        ChoiceId[] arrivals = [.. Enumerable.Range(0, messages).Select(Message).Where(Has)];
        Fault[] happened =
        [
            .. Enumerable.Range(0, faults).Select(i => new Fault(Fault(i), $"crash {i}")).Where(fault => Has(fault.Id)),
            .. Enumerable.Range(0, request.Plan.Broadcasts).Select(i => new Fault(Broadcast(i), $"broadcast {i}")).Where(fault => Has(fault.Id)),
        ];
        return new RunResult(request)
        {
            Hash = $"{arrivals.Length}.{happened.Length}",
            Events = arrivals.Length,
            Deliveries = arrivals.Length,
            VirtualTime = 1,
            Violation = checker(request, Has) is { } name ? new Violation(name, "made up", 1, []) : null,
            Faults = happened,
            Arrivals = arrivals,
            Trace = withTrace ? new Trace() : null,
        };
    }
}
