namespace Bft.Bench.Load;

/// <summary>What was measured is not what was meant to be: a message was lost, doubled, out of order or other than it was sent, or nothing moved any more.</summary>
public sealed class LoadFailedException(string message) : Exception(message);
