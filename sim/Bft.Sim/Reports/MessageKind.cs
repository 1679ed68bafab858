namespace Bft.Sim;

/// <summary>What a message is, by the first word of its text: gives it a colour.</summary>
internal static class MessageKind
{
    /// <summary>Its class in the picture's style sheet.</summary>
    public static string Of(string text) => FirstWord(text) switch
    {
        "batch" => "batch",
        "ack" or "acks" => "ack",
        "certificate" or "tip" or "tips" => "cert",
        "body" or "fetch" or "fetched" or "range" => "body",
        "evidence" or "refusal" or "floor" or "end" => "claim",
        _ => "house",
    };

    /// <summary>Keeps a connection going, and says nothing else.</summary>
    public static bool IsHousekeeping(string text) => FirstWord(text) is "heartbeat" or "subscribe" or "hello" or "welcome";

    private static string FirstWord(string text) => text.IndexOf(' ', StringComparison.Ordinal) is var space and > 0 ? text[..space] : text;
}
