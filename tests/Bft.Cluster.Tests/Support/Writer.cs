using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Bft.Client;
using Bft.Crypto;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;

namespace Bft.Cluster.Tests.Support;

/// <summary>An honest publisher that goes on until it is told to stop: numbered messages, a receipt of each twentieth.</summary>
internal sealed class Writer
{
    private const int ReceiptEach = 20; // each holds its chunk, up to 16 KiB
    private const int MessagesPerBeat = 5;

    private readonly Publisher _publisher;
    private readonly CancellationTokenSource _enough = new();
    private readonly List<Task> _waiting = [];
    private readonly Task _running;
    private int _sent;
    private int _lastReceipt = -1;

    public Writer(Publisher publisher, PublicKey key)
    {
        _publisher = publisher;
        Key = key;
        _running = Task.Run(RunAsync);
    }

    public PublicKey Key { get; }

    public Topic Topic => _publisher.Topic;

    /// <summary>Messages given to the publisher.</summary>
    public int Sent => Volatile.Read(ref _sent);

    public StreamHeader? Stream => _publisher.Stream;

    /// <summary>Why it stopped by itself; null while it goes on.</summary>
    public string? Problem => _running.Exception?.GetBaseException().ToString();

    /// <summary>Encoded, with the number of the message that each is for.</summary>
    public ConcurrentQueue<(int Number, byte[] Receipt)> Receipts { get; } = new();

    /// <summary>The highest number of a message whose receipt came; -1 before the first.</summary>
    public int LastReceipt => Volatile.Read(ref _lastReceipt);

    /// <summary>What stands in a message; its number comes back from <see cref="TryNumber"/>.</summary>
    public static byte[] Payload(PublicKey key, int number) => Encoding.UTF8.GetBytes($"{number} of {key} {new string('.', number * 37 % 200)}");

    public static bool TryNumber(PublicKey key, ReadOnlySpan<byte> payload, out int number) =>
        int.TryParse(payload[..Math.Max(0, payload.IndexOf((byte)' '))], NumberStyles.None, CultureInfo.InvariantCulture, out number) && payload.SequenceEqual(Payload(key, number));

    /// <summary>No more messages; those sent are certified.</summary>
    public async Task FinishAsync()
    {
        await _enough.CancelAsync();
        await _running;
        await Task.WhenAll(_waiting).WaitAsync(ProcessCluster.Patience);
        await _publisher.FlushAsync(ProcessCluster.Deadline);
    }

    public async ValueTask DisposeAsync()
    {
        await _enough.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _publisher.DisposeAsync();
        await Task.WhenAll(_waiting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>A load, not a flood: batches small and many.</summary>
    private async Task RunAsync()
    {
        using PeriodicTimer beat = new(TimeSpan.FromMilliseconds(20));
        while (!_enough.IsCancellationRequested)
        {
            for (int i = 0; i < MessagesPerBeat && !_enough.IsCancellationRequested; i++)
            {
                int number = _sent;
                PublishTicket ticket = await SendAsync(number);
                Volatile.Write(ref _sent, number + 1);
                if (number % ReceiptEach == 0)
                {
                    _waiting.RemoveAll(task => task.IsCompletedSuccessfully);
                    _waiting.Add(KeepReceiptAsync(number, ticket));
                }
            }

            await beat.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    /// <summary>What was not taken was not sent: the token ends only the wait for room.</summary>
    private ValueTask<PublishTicket> SendAsync(int number) => _publisher.SendAsync(new Message(Payload(Key, number)), CancellationToken.None);

    private async Task KeepReceiptAsync(int number, PublishTicket ticket)
    {
        Receipts.Enqueue((number, (await ticket.GetReceiptAsync()).Encode()));
        for (int last = LastReceipt; last < number; last = LastReceipt)
        {
            Interlocked.CompareExchange(ref _lastReceipt, number, last);
        }
    }
}
