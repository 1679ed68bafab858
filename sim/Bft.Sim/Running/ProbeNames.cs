namespace Bft.Sim;

/// <summary>The points that some runs must reach, or the simulator does not test what it claims to.</summary>
internal static class ProbeNames
{
    public static IReadOnlyList<string> All { get; } =
    [
        "certified under partition",
        "certificate adopted over an own ack (W5)",
        "a dead publisher's batch finished (W6)",
        "receiver hands a certificate over (R5)",
        "torn tail cut",
        "lost memory noticed (W9)",
        "evidence exchanged (W10)",
        "floor adopted by a laggard (S3)",
        "retention cut",
        "index read from pages (S2)",
        "incarnation retired (W11)",
        "incarnation linked",
        "slow consumer ended",
        "slow consumer resumed",
        "publisher goes on without its journal (P7)",
        "lost journal or copied key shown (P6)",
        "refused for want of room (W11)",
    ];
}
