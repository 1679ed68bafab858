namespace Bft.Protocol.Verification;

/// <summary>What a signature covers begins with one of these: 15 ASCII bytes, zero-padded, and a version. A signature for one kind is none for another.</summary>
public static class StatementTag
{
    /// <summary>Length in bytes, the version byte included.</summary>
    public const int Length = 16;

    /// <summary>The version every tag ends with.</summary>
    public const byte Version = 1;

    public static ReadOnlySpan<byte> Genesis => "bft.genesis\0\0\0\0\u0001"u8;

    public static ReadOnlySpan<byte> Stream => "bft.stream\0\0\0\0\0\u0001"u8;

    public static ReadOnlySpan<byte> Batch => "bft.batch\0\0\0\0\0\0\u0001"u8;

    public static ReadOnlySpan<byte> Ack => "bft.ack\0\0\0\0\0\0\0\0\u0001"u8;

    public static ReadOnlySpan<byte> AckRoot => "bft.ackroot\0\0\0\0\u0001"u8;

    public static ReadOnlySpan<byte> Hello => "bft.hello\0\0\0\0\0\0\u0001"u8;
}
