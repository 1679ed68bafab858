namespace Bft.Protocol.Bodies;

/// <summary>One name and value that travel with a message.</summary>
/// <param name="Name">Not empty, UTF-8.</param>
/// <param name="Value">Any bytes.</param>
public readonly record struct MessageHeader(string Name, ReadOnlyMemory<byte> Value);

/// <summary>What an application publishes.</summary>
/// <remarks>A value: it refers to the caller's memory, which must stay as it is until the message is accepted by a batch.</remarks>
public readonly record struct Message(ReadOnlyMemory<byte> Payload)
{
    private readonly string? _contentType;
    private readonly string? _subject;

    /// <summary>What the payload is, in the application's words. <value>Default: empty. At most 255 bytes of UTF-8.</value></summary>
    public string ContentType
    {
        get => _contentType ?? string.Empty;
        init => _contentType = value;
    }

    /// <summary>What readers may filter by. A publisher groups a batch's messages by subject into chunks. <value>Default: empty. At most 255 bytes of UTF-8.</value></summary>
    public string Subject
    {
        get => _subject ?? string.Empty;
        init => _subject = value;
    }

    /// <summary>The application's key. <value>Default: empty, which means none.</value></summary>
    public ReadOnlyMemory<byte> Key { get; init; }

    /// <summary>Further names and values, in order, repeats allowed. <value>Default: none. At most 64.</value></summary>
    public IReadOnlyList<MessageHeader>? Headers { get; init; }
}
