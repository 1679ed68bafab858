using Bft.Protocol.Verification;
using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Cluster.Tests.Support;

/// <summary>A publish call at each witness, beside the publisher's own: it hears every ack to this key, and may send what it likes. Opened again whenever it breaks.</summary>
internal sealed class AckTap : IAsyncDisposable
{
    private readonly CancellationTokenSource _over = new();
    private readonly RawCall<IPublishRequest, IPublishReply>?[] _open = new RawCall<IPublishRequest, IPublishReply>?[ProcessCluster.Count];
    private readonly Task _running;

    public AckTap(ProcessCluster cluster, string client, AckBook book)
    {
        Book = book;
        _running = Task.WhenAll(Enumerable.Range(0, ProcessCluster.Count).Select(witness => Task.Run(() => RunAsync(cluster, witness, client))));
    }

    public AckBook Book { get; }

    /// <summary>Refusals that came, by their slots; what is shown in one counts in the book as well.</summary>
    public System.Collections.Concurrent.ConcurrentQueue<(int Witness, RefusalFrame Refusal)> Refusals { get; } = [];

    /// <summary>Waits until each of these witnesses has an open call.</summary>
    public Task OpenAsync(params int[] witnesses) => Wait.UntilAsync(() => witnesses.All(witness => _open[witness] is not null), "a publish call is open at each witness");

    /// <summary>To one witness, if it is there.</summary>
    /// <returns>Whether it was handed to the call.</returns>
    public async Task<bool> SendAsync(int witness, SignedBatch batch)
    {
        try
        {
            await (_open[witness]?.WriteAsync(new BatchFrame(batch)) ?? throw new InvalidOperationException("not open"));
            return true;
        }
        catch (Exception error) when (IsOver(error))
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _running;
        _over.Dispose();
    }

    private static bool IsOver(Exception error) => error is RpcException or InvalidOperationException or TimeoutException or OperationCanceledException or IOException or ObjectDisposedException;

    private async Task RunAsync(ProcessCluster cluster, int witness, string client)
    {
        using PeriodicTimer again = new(TimeSpan.FromMilliseconds(50));
        while (!_over.IsCancellationRequested)
        {
            try
            {
                using RawClient raw = new(cluster, witness);
                using RawCall<IPublishRequest, IPublishReply> call = await raw.PublishAsync(client, _over.Token);
                _open[witness] = call;
                await foreach (IPublishReply reply in call.ReadAllAsync(_over.Token))
                {
                    Book.On(reply);
                    if (reply is RefusalFrame refusal)
                    {
                        Refusals.Enqueue((witness, refusal));
                    }
                }
            }
            catch (Exception error) when (IsOver(error))
            {
                // The witness is down, or this test is over.
            }

            _open[witness] = null;
            await again.WaitForNextTickAsync(CancellationToken.None);
        }
    }
}
