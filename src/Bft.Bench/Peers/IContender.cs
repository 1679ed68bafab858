using Bft.Bench.Load;

namespace Bft.Bench.Peers;

/// <summary>One system, freshly started, with one publisher and one consumer in this process. The consumer checks the place and the bytes of every message.</summary>
internal interface IContender : IAsyncDisposable
{
    /// <summary>Messages handed to the system.</summary>
    long Sent { get; }

    /// <summary>Messages that the system has answered for.</summary>
    long Acked { get; }

    /// <summary>Messages that the consumer has seen and found right.</summary>
    long Delivered { get; }

    /// <summary>Never completes, but fails when the publisher or the consumer does.</summary>
    Task Failed { get; }

    /// <summary>Processes of the servers.</summary>
    IReadOnlyCollection<int> Servers { get; }

    /// <summary>Is told of acks and deliveries.</summary>
    LatencyProbe? Probe { set; }

    /// <summary>Sends until cancelled, as fast as it may: never more than so many messages that are not acked.</summary>
    Task SendAsync(int window, CancellationToken cancellationToken);

    /// <summary>One message.</summary>
    Task SendOneAsync();
}
