namespace Bft.Sim.Tests.Reports;

public sealed class ArtefactTests
{
    private static readonly Artefact Sample = new()
    {
        Version = "1.2.3+abc",
        Plants = ["ack-before-flush"],
        Profile = "swarm",
        Seed = ulong.MaxValue,
        Plan = Sim.Profiles.Draw("swarm", 9),
        Hash = "00ff",
        Violation = new Violation("consistency", "two batches in 12ab/0 → \"x\" <y>", 123_456_789, [0, 3]),
        Parties = ["W0", "W1", "W2", "W3"],
        Minimal = new MinimalRun
        {
            Plan = new RunPlan { Byzantine = [AdversaryKind.Twins] },
            Removed = [new ChoiceId(ChoiceStream.Delivery, 65, 0), new ChoiceId(ChoiceStream.Crash, 2, 3)],
            Kept = ["broadcast P0"],
            Hash = "11ee",
            Violation = new Violation("consistency", "again", 5, [1]),
            Events = 12,
            EventsBefore = 3_400,
            Runs = 99,
        },
    };

    [Fact]
    public void What_is_written_is_read_again()
    {
        string json = ArtefactFile.ToJson(Sample);

        Artefact read = ArtefactFile.Parse(json, "a.json");

        Assert.Equal(json, ArtefactFile.ToJson(read));
        Assert.Equal(ulong.MaxValue, read.Smallest.Seed);
        Assert.Equal(Sample.Minimal!.Removed, read.Smallest.Removed.Order());
        Assert.Equal([AdversaryKind.Twins], read.Smallest.Plan.Byzantine);
        Assert.Equal([0, 3], read.Violation.Parties);
    }

    [Fact]
    public void Without_shrinking_the_whole_run_is_replayed()
    {
        Artefact read = ArtefactFile.Parse(ArtefactFile.ToJson(Sample with { Minimal = null, Scenario = "calm" }), "a.json");

        Assert.Empty(read.Smallest.Removed);
        Assert.Equal((Sample.Plan.Witnesses, "calm"), (read.Smallest.Plan.Witnesses, read.Smallest.Scenario));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("")]
    [InlineData("[1]")]
    [InlineData("{\"format\": 2}")]
    public void What_is_none_is_refused(string json)
    {
        CommandException error = Assert.Throws<CommandException>(() => ArtefactFile.Parse(json, "a.json"));

        Assert.StartsWith("a.json is no failure that `bft sim` wrote", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"seed\"", "\"sead\"")]
    [InlineData("Crash/2/3", "Crash/2")]
    [InlineData("\"format\": 1", "\"format\": 7")]
    [InlineData("\"witnesses\": 4", "\"witnesses\": 40")]
    public void A_changed_file_is_refused(string from, string to)
    {
        string json = ArtefactFile.ToJson(Sample);
        Assert.Contains(from, json, StringComparison.Ordinal);

        Assert.Throws<CommandException>(() => ArtefactFile.Parse(json.Replace(from, to, StringComparison.Ordinal), "a.json"));
    }

    [Fact]
    public void A_file_is_named_after_what_was_found()
    {
        string folder = Path.Combine(Path.GetTempPath(), $"bft-sim-{Environment.ProcessId}");
        try
        {
            string path = ArtefactFile.Save(folder, Sample with { Seed = 7 });

            Assert.Equal("consistency-swarm-7.json", Path.GetFileName(path));
            Assert.Equal("00ff", ArtefactFile.Load(path).Hash);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
