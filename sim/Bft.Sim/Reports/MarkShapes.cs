namespace Bft.Sim;

/// <summary>What events at one party look like, around (0, 0), and their word.</summary>
internal static class MarkShapes
{
    public static bool Has(TraceKind kind) => kind is not (TraceKind.Send or TraceKind.Deliver or TraceKind.Drop or TraceKind.Probe or TraceKind.Heal or TraceKind.Violation);

    /// <summary>Its word is written even where it is tight.</summary>
    public static bool IsLoud(TraceKind kind) => kind is TraceKind.Broadcast or TraceKind.Certified or TraceKind.Delivered or TraceKind.Crash or TraceKind.DiskFault or TraceKind.Attack or TraceKind.Evidence;

    public static string Of(TraceKind kind) => kind switch
    {
        TraceKind.Broadcast => "<path d=\"M-7,-6 H7 L0,7 Z\"/>",
        TraceKind.Certified => "<path d=\"M0,-9 L2.6,-3 9,-2.6 4,1.6 5.7,8 0,4.4 -5.7,8 -4,1.6 -9,-2.6 -2.6,-3 Z\"/>",
        TraceKind.Stored => "<rect x=\"-5\" y=\"-5\" width=\"10\" height=\"10\" rx=\"1.5\"/><path class=\"inner\" d=\"M-2.5,0 L-0.6,2.2 2.8,-2.4\"/>",
        TraceKind.Delivered => "<circle r=\"7\"/><path class=\"inner\" d=\"M-3.2,0 L-0.8,2.8 3.6,-2.8\"/>",
        TraceKind.Durable => "<rect x=\"-7\" y=\"-1.7\" width=\"14\" height=\"3.4\"/>",
        TraceKind.Evidence => "<path d=\"M-4,8 V-8 L7,-4 L-4,0\"/>",
        TraceKind.Crash => "<path d=\"M-6,-6 L6,6 M6,-6 L-6,6\"/>",
        TraceKind.Restart => "<circle r=\"4\"/>",
        TraceKind.DiskFault => "<path d=\"M-7,-5 C-7,-8 7,-8 7,-5 V5 C7,8 -7,8 -7,5 Z M-7,-5 C-7,-2 7,-2 7,-5\"/>",
        TraceKind.Clock => "<circle r=\"6\"/><path d=\"M0,-4 V0 L3,2\"/>",
        TraceKind.Partition => "<path d=\"M-7,-3 H-2 M2,-3 H7 M-7,3 H-2 M2,3 H7 M-1,-7 L1,7\"/>",
        TraceKind.Attack => "<path d=\"M2,-9 L-6,2 H-1 L-3,9 L6,-2 H1 Z\"/>",
        _ => "<circle r=\"2.5\"/>",
    };

    public static string Word(TraceKind kind, string text) => kind switch
    {
        TraceKind.Broadcast => $"broadcasts {text}",
        TraceKind.Certified => $"certified {text}",
        TraceKind.Stored => $"tip {text}",
        TraceKind.Delivered => $"delivers {text}",
        TraceKind.Durable => text.Length == 0 ? "durable" : $"durable: {text}",
        TraceKind.Evidence => $"evidence: {text}",
        TraceKind.DiskFault => $"disk: {text}",
        TraceKind.Crash => text.Contains("crash", StringComparison.Ordinal) ? text : $"down: {text}",
        TraceKind.Restart => text.Contains("again", StringComparison.Ordinal) ? "up again" : "up",
        _ => text,
    };
}
