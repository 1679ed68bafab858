using Bft.Bench.Planning;

namespace Bft.Bench.Tests.Planning;

public sealed class StationTests
{
    private readonly EventLine _line = new();
    private readonly List<(int Job, double At)> _done = [];

    [Fact]
    public void Jobs_are_done_in_order_by_as_many_servers_as_there_are()
    {
        Do(new Station(_line, 2), 4, 2, 1, 1);

        _line.RunUntil(100);

        Assert.Equal([(1, 2.0), (2, 3.0), (0, 4.0), (3, 4.0)], _done);
    }

    [Fact]
    public void Half_a_server_takes_twice_as_long()
    {
        Do(new Station(_line, 0.5), 1, 1);

        _line.RunUntil(100);

        Assert.Equal([(0, 2.0), (1, 4.0)], _done);
    }

    [Fact]
    public void A_disk_flushes_once_for_all_that_came_while_it_flushed()
    {
        Do(new Station(_line, 1, commits: 10), 1, 1, 1);

        _line.RunUntil(100);

        Assert.Equal([(0, 11.0), (1, 23.0), (2, 23.0)], _done);
    }

    [Fact]
    public void The_mean_is_of_what_waits_and_what_is_served()
    {
        Station station = new(_line, 1);
        Do(station, 1, 1);

        _line.RunUntil(4);

        Assert.Equal(0, station.Count);
        Assert.Equal(0.75, station.Mean); // two for a second, one for another, in four
    }

    private void Do(Station station, params double[] jobs)
    {
        for (int i = 0; i < jobs.Length; i++)
        {
            int job = i;
            station.Do(jobs[i], () => _done.Add((job, _line.Now)));
        }
    }
}
