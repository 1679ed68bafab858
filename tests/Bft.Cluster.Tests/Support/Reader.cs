using System.Collections.Concurrent;
using Bft.Client;
using Bft.Crypto;
using Bft.Protocol.Model;
using Delivery = Bft.Client.Delivery;

namespace Bft.Cluster.Tests.Support;

/// <summary>A subscription that checks each message as it comes, and keeps one digest per stream over all that came.</summary>
internal sealed class Reader
{
    private readonly Subscription _subscription;
    private readonly CancellationTokenSource _enough = new();
    private readonly ConcurrentDictionary<PublicKey, int> _next = new(); // one topic: a publisher's messages are numbered in it
    private readonly Dictionary<StreamId, (int Count, Digest All)> _streams = [];
    private readonly Task _running;
    private volatile string? _problem;

    public Reader(Subscription subscription)
    {
        _subscription = subscription;
        _running = Task.Run(RunAsync);
    }

    public Topic Topic => _subscription.Topic;

    /// <summary>What is wrong with what came, or why no more comes; null while all is well.</summary>
    public string? Problem => _problem;

    public int CountOf(PublicKey publisher) => _next.GetValueOrDefault(publisher);

    /// <summary>Position, slot and bytes of every message, stream by stream; to be compared after <see cref="DisposeAsync"/>.</summary>
    public SortedDictionary<string, (int Count, Digest All)> Transcript => new(_streams.ToDictionary(pair => $"{pair.Key}", pair => pair.Value));

    public async ValueTask DisposeAsync()
    {
        await _enough.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _subscription.DisposeAsync();
    }

    private async Task RunAsync()
    {
        try
        {
            await foreach (Delivery delivery in _subscription.WithCancellation(_enough.Token))
            {
                On(delivery);
            }
        }
        catch (Exception error)
        {
            _problem ??= _enough.IsCancellationRequested ? null : $"{Topic}: {error}";
        }
    }

    private void On(Delivery delivery)
    {
        ReadOnlySpan<byte> payload = delivery.Message.Payload.Span;
        int expected = CountOf(delivery.Publisher);
        if (!Writer.TryNumber(delivery.Publisher, payload, out int number) || number != expected || delivery.Error != default || delivery.IsPossibleRepeat)
        {
            _problem ??= $"{Topic} {delivery.Stream}/{delivery.Sequence}[{delivery.Position}]: message {number} ({delivery.Error}, repeat {delivery.IsPossibleRepeat}) came in place of {expected}";
        }

        (int count, Digest all) = _streams.GetValueOrDefault(delivery.Stream);
        _streams[delivery.Stream] = (count + 1, Sha256.Hash([.. Bytes(all), .. BitConverter.GetBytes(delivery.Sequence.Value), .. BitConverter.GetBytes(delivery.Position), .. payload]));
        _next[delivery.Publisher] = number + 1;
    }

    private static byte[] Bytes(Digest digest)
    {
        byte[] bytes = new byte[Digest.Length];
        digest.CopyTo(bytes);
        return bytes;
    }
}
