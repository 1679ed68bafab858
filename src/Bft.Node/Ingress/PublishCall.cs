using Bft.Protocol.Model;
using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Node;

/// <summary>Reads one publisher's call: each frame waits for its turn, is looked at, and what it comes to goes to the core.</summary>
internal sealed class PublishCall(Session session, ClusterId cluster, PublisherGate gate, PublishIntake intake, CoreMailbox core, Outbox<IPublishReply> outbox)
{
    /// <exception cref="RpcException">The client sent what no client should send.</exception>
    public async Task ReadAllAsync(IAsyncStreamReader<IPublishRequest> requests, CancellationToken cancellationToken)
    {
        while (await requests.MoveNext(cancellationToken))
        {
            IPublishRequest frame = requests.Current;
            IDisposable? admission = await gate.EnterAsync(session.Client, PublishCost.Of(frame, cluster), cancellationToken);
            try
            {
                Intake taken = intake.Take(frame);
                if (taken.Fault is { } fault)
                {
                    throw new RpcException(new Status(StatusCode.InvalidArgument, fault));
                }

                if (taken.Reply is { } reply)
                {
                    outbox.Post(reply, taken.ReplyBytes);
                }

                if (taken.Offence is { } offence)
                {
                    session.Offend(Offence.Hostile, offence);
                }

                if (taken.Input is { } input)
                {
                    (input.Grant, admission) = (admission, null);
                    core.Post(input);
                }
            }
            finally
            {
                admission?.Dispose();
            }
        }
    }
}
