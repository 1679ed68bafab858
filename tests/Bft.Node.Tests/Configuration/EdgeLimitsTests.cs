using Bft.Configuration;

namespace Bft.Node.Tests.Configuration;

public sealed class EdgeLimitsTests
{
    [Fact]
    public void The_example_at_the_top_of_the_repository_shows_the_defaults_as_it_says()
    {
        ClusterFile example = ClusterFile.Load(Path.Combine(AppContext.BaseDirectory, "cluster.yaml"));

        Assert.NotEqual(new EdgePolicy(), example.Edge);
        Assert.Equal(EdgeLimits.Default, EdgeLimits.Default.With(example.Edge));
    }

    [Fact]
    public void Without_an_edge_section_nothing_changes() => Assert.Equal(EdgeLimits.Default, EdgeLimits.Default.With(new EdgePolicy()));

    [Fact]
    public void What_is_counted_in_connections_and_calls_keeps_its_share()
    {
        Assert.Equal(EdgeLimits.Default, EdgeLimits.Default.With(new EdgePolicy { ConnectionsMax = EdgePolicy.ConnectionsByDefault }));
        EdgeLimits raised = EdgeLimits.Default.With(new EdgePolicy { ConnectionsMax = 4096 });
        Assert.Equal((4096, 3072, 1024), (raised.ConnectionsMax, raised.ConnectionsPerAddressMax, raised.StrangersMax));
        Assert.Equal((16_384, 4096, 2048), (raised.CallsMax, raised.PendingCallsMax, raised.PendingCallsPerAddressMax));
    }

    [Fact]
    public void What_is_said_alone_changes_alone()
    {
        EdgePolicy said = new() { ConnectionsPerAddressMax = 500, StrangersMax = 9, PerKeyMax = 100, UnreadBytesMax = 64 << 20 };
        EdgeLimits expected = EdgeLimits.Default with
        {
            ConnectionsPerAddressMax = 500,
            StrangersMax = 9,
            ConnectionsPerIdentityMax = 100,
            SessionsPerIdentityMax = 100,
            UnreadBytesMax = 64 << 20,
        };
        Assert.Equal(expected, EdgeLimits.Default.With(said));
    }
}
