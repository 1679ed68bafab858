using Polly;
using Polly.Retry;

namespace Bft.Client;

/// <summary>Runs sessions with one witness for ever: a session that ends is followed by the next, with jittered exponential back-off.</summary>
internal static class Redial
{
    /// <summary>A session that lasted this long was a good one: the back-off begins anew.</summary>
    private static readonly TimeSpan GoodSession = TimeSpan.FromSeconds(5);

    private static readonly ResiliencePipeline Pipeline = new ResiliencePipelineBuilder()
        .AddRetry(new RetryStrategyOptions
        {
            MaxRetryAttempts = int.MaxValue,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = TimeSpan.FromMilliseconds(50),
            MaxDelay = TimeSpan.FromSeconds(2),
            ShouldHandle = arguments => ValueTask.FromResult(arguments.Outcome.Exception is not null && !arguments.Context.CancellationToken.IsCancellationRequested),
        })
        .Build();

    /// <summary>Ends with <paramref name="cancellationToken"/> only, and quietly.</summary>
    /// <param name="session">One session, from dialling to its end; may throw whatever it likes.</param>
    /// <param name="onEnded">Told of each end.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task RunAsync(Func<CancellationToken, Task> session, Action<Exception> onEnded, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await Pipeline.ExecuteAsync(token => new ValueTask(OneAsync(session, onEnded, token)), cancellationToken).ConfigureAwait(false);
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                // However a cancelled call puts it.
            }
        }
    }

    private static async Task OneAsync(Func<CancellationToken, Task> session, Action<Exception> onEnded, CancellationToken cancellationToken)
    {
        long start = Environment.TickCount64;
        try
        {
            await session(cancellationToken).ConfigureAwait(false);
            throw new SessionEndedException("The witness ended the call.");
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            onEnded(error);
            if (Environment.TickCount64 - start < GoodSession.TotalMilliseconds)
            {
                throw;
            }
        }
    }
}
