using Bft.Wire.Frames;
using Bft.Wire.Services;
using Grpc.Core;

namespace Bft.Node;

/// <summary>Calls to a peer's Fetch: what an intake asks for, and what it verified on its way to the core, bounded for each call.</summary>
internal sealed class PeerFetches(PeerDialer dialer, CoreMailbox core, ByteBudget input, EdgeLimits limits)
{
    /// <param name="channel">To the peer.</param>
    /// <param name="intake">Of this call alone.</param>
    /// <param name="cancellationToken">The fetch is given up.</param>
    /// <exception cref="RpcException">The call failed, or the peer sent what does not hold.</exception>
    /// <exception cref="TimeoutException">The peer is silent.</exception>
    public async Task RunAsync(PeerChannel channel, IFetchIntake intake, CancellationToken cancellationToken)
    {
        using AsyncDuplexStreamingCall<IFetchRequest, IFetchReply> call = new WitnessClient(channel.Calls).Fetch(new CallOptions(cancellationToken: cancellationToken));
        await dialer.OpenAsync(call, channel);
        await call.RequestStream.WriteAsync(intake.Request, cancellationToken);

        ByteBudget budget = new(limits.InputBytesPerCallMax, input);
        while (!intake.IsComplete && await call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(limits.HelloTimeout, cancellationToken))
        {
            Intake taken = intake.Take(call.ResponseStream.Current);
            if (taken.Fault is { } fault)
            {
                throw new RpcException(new Status(StatusCode.DataLoss, fault));
            }

            if (taken.Input is { } arrived)
            {
                await core.PostAsync(arrived, budget, cancellationToken);
            }
        }
    }
}
