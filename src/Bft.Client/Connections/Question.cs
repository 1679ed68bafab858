using Grpc.Core;

namespace Bft.Client;

/// <summary>One question to one witness, which may be down, slow or wrong: a reason in words in place of an exception.</summary>
internal static class Question
{
    /// <param name="connection">To the witness; its <see cref="WitnessConnection.ConnectTimeout"/> is the time for the whole answer.</param>
    /// <param name="ask">Opens the call and reads the answer; returns what is wrong with it, or null.</param>
    /// <param name="cancellationToken">The caller gave up.</param>
    /// <returns>Null when it was answered.</returns>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public static async Task<string?> AskAsync(WitnessConnection connection, Func<CancellationToken, Task<string?>> ask, CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(connection.ConnectTimeout);
        try
        {
            return await ask(limit.Token).ConfigureAwait(false);
        }
        catch (RpcException error) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(error.Message, error, cancellationToken);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested && error is RpcException or SessionEndedException or OperationCanceledException)
        {
            return limit.IsCancellationRequested ? $"No answer within {connection.ConnectTimeout.TotalSeconds} s." : error.Message;
        }
    }
}
