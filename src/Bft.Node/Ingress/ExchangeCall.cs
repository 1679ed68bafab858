using Bft.Wire.Frames;
using Bft.Wire.Services;
using Grpc.Core;

namespace Bft.Node;

/// <summary>Reads what one peer tells, no faster than it may cost.</summary>
internal sealed class ExchangeCall(ExchangeIntake intake, CoreMailbox core, ByteBudget budget, Allowance allowance, Action heard)
{
    /// <exception cref="RpcException">The peer sent what no correct witness sends.</exception>
    public async Task ReadAllAsync(IAsyncStreamReader<IExchangeRequest> requests, CancellationToken cancellationToken)
    {
        while (await requests.MoveNext(cancellationToken))
        {
            heard();
            Intake taken = intake.Take(requests.Current);
            if (taken.Fault is { } fault)
            {
                throw new RpcException(new Status(StatusCode.InvalidArgument, fault));
            }

            if (taken.Input is { } input)
            {
                await core.PostAsync(input, budget, cancellationToken);
            }

            await allowance.PayAsync(intake.Cost, cancellationToken);
        }
    }
}
