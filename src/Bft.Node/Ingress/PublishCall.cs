using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Node;

/// <summary>Reads one publisher's call: what its frames come to waits for the budget, then goes to the core.</summary>
internal sealed class PublishCall(PublishIntake intake, CoreMailbox core, ByteBudget budget, Outbox<IPublishReply> outbox)
{
    /// <exception cref="RpcException">The client sent what no client should send.</exception>
    public async Task ReadAllAsync(IAsyncStreamReader<IPublishRequest> requests, CancellationToken cancellationToken)
    {
        while (await requests.MoveNext(cancellationToken))
        {
            Intake taken = intake.Take(requests.Current);
            if (taken.Fault is { } fault)
            {
                throw new RpcException(new Status(StatusCode.InvalidArgument, fault));
            }

            if (taken.Reply is { } reply)
            {
                outbox.Post(reply, taken.ReplyBytes);
            }

            if (taken.Input is { } input)
            {
                await core.PostAsync(input, budget, cancellationToken);
            }
        }
    }
}
