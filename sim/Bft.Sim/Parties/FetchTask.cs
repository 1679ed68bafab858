using Bft.Node;
using Bft.Protocol.Witnessing;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>A witness's fetch from a peer: of what is missing, or of what is damaged.</summary>
internal sealed class FetchTask
{
    private readonly Func<IFetchReply, Intake> _take;
    private readonly Func<bool> _isComplete;

    public FetchTask(FetchOrder order, CatchUpIntake intake)
    {
        (Order, Request, Ended) = (order, intake.Request, new FetchEndedInput(order));
        (_take, _isComplete) = (intake.Take, () => intake.IsComplete);
    }

    public FetchTask(RepairOrder order, RepairIntake intake)
    {
        (Order, Request, Ended) = (order, intake.Request, new RepairEndedInput(order));
        (_take, _isComplete) = (intake.Take, () => intake.IsComplete);
    }

    public object Order { get; }

    public FetchFrame Request { get; }

    /// <summary>What the core is told at the end.</summary>
    public CoreInput Ended { get; }

    public long Since { get; set; }

    public bool IsComplete => _isComplete();

    public Intake Take(IFetchReply reply) => _take(reply);
}
