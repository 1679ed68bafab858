using System.Security.Cryptography;
using Bft.Client;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;

namespace Bft.Cli.Demo;

/// <summary>A receiver of the demo: takes everything of a topic, each batch verified by the library, and keeps the digest of all payloads.</summary>
internal sealed class DemoReceiver : IAsyncDisposable
{
    private readonly IncrementalHash _digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly CancellationTokenSource _ending = new();
    private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _expected;
    private readonly Task _reading;
    private long _count;

    public DemoReceiver(string name, BftClient client, Topic topic, long expected)
    {
        Name = name;
        _expected = expected;
        _reading = ReadAsync(client, topic);
    }

    public string Name { get; }

    public long Count => Volatile.Read(ref _count);

    public int Batches { get; private set; }

    /// <summary>SHA-256 of all payloads in the order of their delivery; once <see cref="WhenCompleteAsync"/> completed.</summary>
    public string Digest => Convert.ToHexStringLower(_digest.GetCurrentHash());

    /// <summary>Completes when all that is expected was delivered; fails as the subscription does.</summary>
    public Task WhenCompleteAsync(CancellationToken cancellationToken) => _complete.Task.WaitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _reading;
        _ending.Dispose();
        _digest.Dispose();
    }

    private async Task ReadAsync(BftClient client, Topic topic)
    {
        try
        {
            await using Subscription subscription = await client.SubscribeAsync(topic, cancellationToken: _ending.Token);
            await foreach (DeliveredBatch batch in subscription.ReadBatchesAsync(_ending.Token))
            {
                foreach (DecodedMessage message in batch.Messages)
                {
                    _digest.AppendData(message.Message.Payload.Span);
                }

                Batches++;
                Volatile.Write(ref _count, _count + batch.Count);
                if (_count >= _expected)
                {
                    _complete.TrySetResult();
                    return;
                }
            }
        }
        catch (OperationCanceledException) when (_ending.IsCancellationRequested)
        {
            // The demo is over.
        }
        catch (Exception error)
        {
            _complete.TrySetException(error);
        }
    }
}
