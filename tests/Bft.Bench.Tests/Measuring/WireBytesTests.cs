using Bft.Bench.Measuring;

namespace Bft.Bench.Tests.Measuring;

public sealed class WireBytesTests
{
    [Fact]
    public void Only_the_connections_of_the_processes_count()
    {
        const string lines = """
            ESTAB 0 0 127.0.0.1:1 127.0.0.1:2 users:(("dotnet",pid=11,fd=137)) bbr rto:204 bytes_sent:1508 bytes_acked:1 bytes_received:237636 segs_out:26
            ESTAB 0 0 127.0.0.1:2 127.0.0.1:1 users:(("bft",pid=22,fd=9)) bbr rto:204 bytes_sent:40 bytes_acked:40
            ESTAB 0 0 127.0.0.1:3 127.0.0.1:4 users:(("bft",pid=112,fd=9)) bbr rto:204 bytes_sent:7000
            ESTAB 0 0 127.0.0.1:5 127.0.0.1:6 users:(("bft",pid=22,fd=10)) bbr rto:204 bytes_received:5
            LISTEN 0 0 127.0.0.1:5 127.0.0.1:6
            """;

        Assert.Equal(1548, WireBytes.SumOf(lines, new HashSet<int> { 11, 22 }));
    }
}
