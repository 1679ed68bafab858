using Bft.Node;
using Bft.Protocol.Witnessing;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>A witness's fetch from a peer: of what is missing, or of what is damaged.</summary>
internal sealed class FetchTask
{
    private readonly IFetchIntake _intake;

    public FetchTask(FetchOrder order, CatchUpIntake intake) => (Order, _intake, Ended) = (order, intake, new FetchEndedInput(order));

    public FetchTask(RepairOrder order, RepairIntake intake) => (Order, _intake, Ended) = (order, intake, new RepairEndedInput(order));

    public object Order { get; }

    public FetchFrame Request => _intake.Request;

    /// <summary>What the core is told at the end.</summary>
    public CoreInput Ended { get; }

    public long Since { get; set; }

    public bool IsComplete => _intake.IsComplete;

    public Intake Take(IFetchReply reply) => _intake.Take(reply);
}
