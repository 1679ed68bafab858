namespace Bft.Bench.Peers;

/// <summary>A peer could not be started, refused or lost a message, or came to a halt: its figure is left out, and the bench goes on.</summary>
internal sealed class PeerFailedException(string message) : Exception(message);
