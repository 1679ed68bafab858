using System.Runtime.CompilerServices;

namespace Grpc.Core;

/// <summary>Messages of the other side, one at a time. One reader at a time.</summary>
public interface IAsyncStreamReader<out T>
{
    /// <summary>The message that the last <see cref="MoveNext"/> found.</summary>
    T Current { get; }

    /// <summary>Waits for the next message.</summary>
    /// <returns>False at the end of the stream.</returns>
    /// <exception cref="RpcException">On the client: the call ended with another status than OK.</exception>
    Task<bool> MoveNext(CancellationToken cancellationToken);
}

/// <summary>Sends messages, one at a time: the task of one write ends before the next write.</summary>
public interface IAsyncStreamWriter<in T>
{
    /// <summary>For the messages that follow; null means the defaults.</summary>
    WriteOptions? WriteOptions { get; set; }

    /// <summary>Completes when the transport accepted the message: this is the back-pressure of a slow receiver.</summary>
    Task WriteAsync(T message);

    /// <inheritdoc cref="WriteAsync(T)"/>
    /// <remarks>A cancelled write may be half sent, so it ends the call.</remarks>
    Task WriteAsync(T message, CancellationToken cancellationToken);
}

/// <summary>The client's half of a stream.</summary>
public interface IClientStreamWriter<in T> : IAsyncStreamWriter<T>
{
    /// <summary>Says that no message follows.</summary>
    Task CompleteAsync();
}

/// <summary>The server's half of a stream; it ends when the handler returns.</summary>
public interface IServerStreamWriter<in T> : IAsyncStreamWriter<T>;

/// <summary>Conveniences for <see cref="IAsyncStreamReader{T}"/>.</summary>
public static class AsyncStreamReaderExtensions
{
    public static Task<bool> MoveNext<T>(this IAsyncStreamReader<T> streamReader)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(streamReader);
        return streamReader.MoveNext(CancellationToken.None);
    }

    public static IAsyncEnumerable<T> ReadAllAsync<T>(this IAsyncStreamReader<T> streamReader, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(streamReader);
        return Enumerate(streamReader, cancellationToken);
    }

    private static async IAsyncEnumerable<T> Enumerate<T>(IAsyncStreamReader<T> reader, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (await reader.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            yield return reader.Current;
        }
    }
}
