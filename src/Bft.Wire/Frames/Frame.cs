using Bft.Protocol.Verification;
using Bft.Wire.Encoding;

namespace Bft.Wire.Frames;

/// <summary>One message of a call. Which frames may stand in which message the interfaces below say.</summary>
public interface IFrame
{
    internal FrameKind Kind { get; }

    internal void Write(ref FieldWriter writer);
}

/// <summary>What is asked by Info: <see cref="EmptyFrame"/>.</summary>
public interface IInfoRequest : IFrame;

/// <summary>What Info answers: <see cref="InfoFrame"/>.</summary>
public interface IInfoReply : IFrame;

/// <summary>What a publisher sends: <see cref="HelloFrame"/>, <see cref="BatchFrame"/>, <see cref="CertifiedFrame"/>, <see cref="InquiryFrame"/>,
/// <see cref="FetchFrame"/>.</summary>
public interface IPublishRequest : IFrame;

/// <summary>
/// What a publisher gets: <see cref="ChallengeFrame"/>, <see cref="WelcomeFrame"/>, <see cref="CertifiedFrame"/>, <see cref="AcksFrame"/>, <see cref="TipFrame"/>,
/// <see cref="RefusalFrame"/>, <see cref="HeartbeatFrame"/>, <see cref="FetchFrame"/>, <see cref="StandingFrame"/>, <see cref="BodyFrame"/>.
/// </summary>
public interface IPublishReply : IFrame;

/// <summary>What a receiver sends: <see cref="HelloFrame"/>, then one <see cref="StartFrame"/>.</summary>
public interface ISubscribeRequest : IFrame;

/// <summary>
/// What a receiver gets: <see cref="ChallengeFrame"/>, <see cref="WelcomeFrame"/>, <see cref="CertifiedFrame"/>, <see cref="TipFrame"/>, <see cref="BodyFrame"/>,
/// <see cref="HeartbeatFrame"/>, <see cref="FloorFrame"/>, <see cref="EndFrame"/>.
/// </summary>
public interface ISubscribeReply : IFrame;

/// <summary>What is sent to fetch: <see cref="HelloFrame"/>, <see cref="FetchFrame"/>.</summary>
public interface IFetchRequest : IFrame;

/// <summary>
/// What a fetch gets: <see cref="ChallengeFrame"/>, <see cref="WelcomeFrame"/>, <see cref="CertifiedFrame"/>, <see cref="BodyFrame"/>, <see cref="FetchedFrame"/>, <see cref="FloorFrame"/>,
/// <see cref="BatchFrame"/>.
/// </summary>
public interface IFetchReply : IFrame;

/// <summary>What is sent for evidence: <see cref="HelloFrame"/>.</summary>
public interface IEvidenceRequest : IFrame;

/// <summary>What an evidence call gets: <see cref="ChallengeFrame"/>, <see cref="WelcomeFrame"/>, <see cref="EvidenceFrame"/>.</summary>
public interface IEvidenceReply : IFrame;

/// <summary>What is sent for a status: <see cref="HelloFrame"/>.</summary>
public interface IStatusRequest : IFrame;

/// <summary>What a status call gets: <see cref="ChallengeFrame"/>, <see cref="WelcomeFrame"/>, <see cref="StatusFrame"/>.</summary>
public interface IStatusReply : IFrame;

/// <summary>
/// What a witness tells another: <see cref="HelloFrame"/>, <see cref="AcksFrame"/>, <see cref="TipFrame"/>, <see cref="HeartbeatFrame"/>, <see cref="EvidenceFrame"/>, <see cref="RecallFrame"/>.
/// </summary>
public interface IExchangeRequest : IFrame;

/// <summary>What the other witness answers: <see cref="ChallengeFrame"/>, <see cref="WelcomeFrame"/>.</summary>
public interface IExchangeReply : IFrame;

/// <summary>The message had no frame that this version knows, or none that belongs there: ignore it. Written, it is an empty message.</summary>
public sealed record EmptyFrame
    : IInfoRequest, IInfoReply, IPublishRequest, IPublishReply, ISubscribeRequest, ISubscribeReply, IFetchRequest, IFetchReply, IEvidenceRequest, IEvidenceReply,
      IStatusRequest, IStatusReply, IExchangeRequest, IExchangeReply
{
    private EmptyFrame()
    {
    }

    public static EmptyFrame Instance { get; } = new();

    FrameKind IFrame.Kind => FrameKind.None;

    void IFrame.Write(ref FieldWriter writer)
    {
    }
}

/// <summary>The bytes were no message. A value, because the sender's misdeed is an input; whoever reads it ends the call.</summary>
/// <param name="Reason">Why.</param>
public sealed record MalformedFrame(RejectReason Reason)
    : IInfoRequest, IInfoReply, IPublishRequest, IPublishReply, ISubscribeRequest, ISubscribeReply, IFetchRequest, IFetchReply, IEvidenceRequest, IEvidenceReply,
      IStatusRequest, IStatusReply, IExchangeRequest, IExchangeReply
{
    FrameKind IFrame.Kind => throw new InvalidOperationException("A malformed frame is only ever received.");

    void IFrame.Write(ref FieldWriter writer) => throw new InvalidOperationException("A malformed frame is only ever received.");
}

/// <summary>The number of a kind's field in each message that can hold it.</summary>
internal enum FrameKind
{
    None = 0,
    Hello = 1,
    Challenge = 2,
    Welcome = 3,
    Batch = 4,
    Certified = 5,
    Acks = 6,
    Tip = 7,
    Refusal = 8,
    Body = 9,
    Heartbeat = 10,
    Start = 11,
    Fetch = 12,
    Fetched = 13,
    Floor = 14,
    End = 15,
    Evidence = 16,
    Recall = 17,
    Inquiry = 18,
    Standing = 19,
    Status = 20,
    Info = 21,
}
