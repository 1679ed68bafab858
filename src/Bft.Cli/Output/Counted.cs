using System.Globalization;

namespace Bft.Cli.Output;

/// <summary>Numbers with their nouns.</summary>
internal static class Counted
{
    /// <summary>"1 message", "12,000 messages".</summary>
    public static string Messages(long count) => Of(count, "message", "messages");

    /// <summary>"1 batch", "9 batches".</summary>
    public static string Batches(long count) => Of(count, "batch", "batches");

    /// <summary>"1 byte", "1,092,008 bytes".</summary>
    public static string Bytes(long count) => Of(count, "byte", "bytes");

    private static string Of(long count, string one, string many) => string.Create(CultureInfo.InvariantCulture, $"{count:N0} {(count == 1 ? one : many)}");
}
