namespace Grpc.Core;

/// <summary>What a caller may choose for one call.</summary>
public struct CallOptions
{
    /// <param name="headers">Sent with the request; none by default.</param>
    /// <param name="deadline">Absolute, UTC; none by default. Afterwards the call ends with <see cref="StatusCode.DeadlineExceeded"/>.</param>
    /// <param name="cancellationToken">Ends the call with <see cref="StatusCode.Cancelled"/>.</param>
    /// <param name="writeOptions">Default of the request stream.</param>
    public CallOptions(Metadata? headers = null, DateTime? deadline = null, CancellationToken cancellationToken = default, WriteOptions? writeOptions = null)
    {
        Headers = headers;
        Deadline = deadline;
        CancellationToken = cancellationToken;
        WriteOptions = writeOptions;
    }

    public Metadata? Headers { get; private init; }

    public DateTime? Deadline { get; private init; }

    public CancellationToken CancellationToken { get; private init; }

    public WriteOptions? WriteOptions { get; private init; }

    public readonly CallOptions WithHeaders(Metadata headers) => this with { Headers = headers };

    public readonly CallOptions WithDeadline(DateTime deadline) => this with { Deadline = deadline };

    public readonly CallOptions WithCancellationToken(CancellationToken cancellationToken) => this with { CancellationToken = cancellationToken };

    public readonly CallOptions WithWriteOptions(WriteOptions writeOptions) => this with { WriteOptions = writeOptions };
}

/// <summary>How one message is written.</summary>
[Flags]
public enum WriteFlags
{
    None = 0,

    /// <summary>More follows soon: the message may wait in the buffer for the next write, up to 64 KiB.</summary>
    BufferHint = 1,

    /// <summary>Has no effect: nothing is compressed.</summary>
    NoCompress = 2,
}

/// <summary>Options of a writer, for the messages that follow.</summary>
public class WriteOptions(WriteFlags flags = WriteFlags.None)
{
    public static readonly WriteOptions Default = new();

    public WriteFlags Flags { get; } = flags;
}
