using Bft.Bench.Peers;

namespace Bft.Bench.Tests.Peers;

/// <summary>A test that runs a peer's servers; skipped where they are not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PeerFactAttribute : FactAttribute
{
    /// <param name="package">Debian's name of it.</param>
    public PeerFactAttribute(string package) =>
        Skip = (package == "nats-server" ? NatsServers.Program : RabbitNodes.Program) is null ? $"{package} is not installed." : null;
}
