using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>What one frame comes to: an input for the core, an answer at once, a fault that ends the call, or nothing.</summary>
internal readonly record struct Intake
{
    private Intake(CoreInput? input, IPublishReply? reply, int replyBytes, string? fault, string? offence = null)
    {
        Input = input;
        Reply = reply;
        ReplyBytes = replyBytes;
        Fault = fault;
        Offence = offence;
    }

    /// <summary>For the core, once its bytes fit the budget of the call.</summary>
    public CoreInput? Input { get; }

    /// <summary>For the publisher.</summary>
    public IPublishReply? Reply { get; }

    /// <summary>What the reply counts for in an outbox.</summary>
    public int ReplyBytes { get; }

    /// <summary>The other side sent what nobody correct sends: why its call ends, for people.</summary>
    public string? Fault { get; }

    /// <summary>What only a dishonest caller sends, though its call goes on: for people.</summary>
    public string? Offence { get; }

    public static Intake Of(CoreInput input) => new(input, null, 0, null);

    public static Intake Answer(IPublishReply reply, int bytes, CoreInput? input = null, string? offence = null) => new(input, reply, bytes, null, offence);

    public static Intake Faulty(string why) => new(null, null, 0, why);

    /// <summary>A peer sent what it cannot have verified.</summary>
    public static Intake Lied(RejectReason reason) => Faulty($"what the peer sent does not hold: {reason}");
}
