using Bft.Client;
using Bft.Cluster.Tests.Support;
using Bft.Node;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;
using Bft.Wire.Frames;

namespace Bft.Cluster.Tests.Faults;

/// <summary>What becomes of a witness whose data folder was damaged, lost, put back or exchanged while it was down: docs/operations.md, row by row.</summary>
public sealed class DataTests(DataCluster shared) : IClassFixture<DataCluster>
{
    private const int Broken = 3;
    private readonly ProcessCluster _cluster = shared.Cluster;

    private string Data => _cluster.DataOf(Broken);

    /// <summary>The oldest segment; each start begins another.</summary>
    private string First => Directory.GetFiles(Data, "*.journal").Min(StringComparer.Ordinal)!;

    [Fact]
    public Task A_damaged_record_with_others_after_it_ends_the_start_with_34() =>
        RefusedAsync(NodeExitCode.JournalDamaged, Path.GetFileName(First), () => DataFolder.Flip(First, 4096 + 100));

    [Fact]
    public Task The_data_of_another_witness_end_the_start_with_33() =>
        RefusedAsync(NodeExitCode.ForeignData, "witness", () => DataFolder.Copy(_cluster.DataOf(2), Data));

    [Fact]
    public async Task The_data_of_another_cluster_end_the_start_with_33()
    {
        await using ProcessCluster other = await ProcessCluster.MadeAsync();
        await other.Launch(Broken).Ready;
        await other.KillAsync();
        await RefusedAsync(NodeExitCode.ForeignData, "cluster", () => DataFolder.Copy(other.DataOf(Broken), Data));
    }

    [Fact]
    public async Task A_second_process_on_the_same_data_ends_with_37()
    {
        await using WitnessProcess second = new(_cluster.ClusterPath, Broken, ["--data", Data, "--listen", $"127.0.0.1:{ProcessCluster.FreePorts(1)[0]}"]);
        Assert.Equal(NodeExitCode.DataInUse, await second.EndedAsync());
        Assert.Contains("used by another process", second.Log, StringComparison.Ordinal);
        await _cluster.AssertServesAsync(Broken);
    }

    [Fact]
    public Task W9_a_wiped_witness_is_told_so_and_acks_no_more() => LostAsync(() =>
    {
        Directory.Delete(Data, recursive: true);
        return Task.CompletedTask;
    });

    [Fact]
    public Task W9_a_witness_whose_last_records_are_gone_is_told_so_and_acks_no_more() => LostAsync(() =>
    {
        Array.ForEach([.. Directory.GetFiles(Data, "*.journal").Where(file => file != First)], File.Delete);
        DataFolder.Cut(First, new FileInfo(First).Length / 2);
        return Task.CompletedTask;
    });

    [Fact]
    public Task W9_a_witness_that_was_rolled_back_is_told_so_and_acks_no_more() => LostAsync(() =>
    {
        DataFolder.Copy(shared.Older, Data);
        return Task.CompletedTask;
    });

    /// <summary>It does not start. The others go on; with its own data back it is as before.</summary>
    private async Task RefusedAsync(int code, string words, Action damage)
    {
        await BrokenAsync(async () =>
        {
            damage();
            WitnessProcess witness = _cluster.Launch(Broken);
            Assert.Equal(code, await witness.EndedAsync());
            Assert.Contains(words, witness.Log, StringComparison.Ordinal);
            await _cluster.AssertServesAsync(0);
        });
    }

    /// <summary>It starts, serves, catches up, and never acks.</summary>
    private async Task LostAsync(Func<Task> damage)
    {
        await BrokenAsync(async () =>
        {
            await damage();
            await _cluster.Launch(Broken).SaysAsync("MEMORY LOST");
            await using BftClient client = _cluster.Connect("reader");
            WitnessHealth[] health = await client.GetStatusAsync(ProcessCluster.Deadline);
            Assert.Equal(WitnessState.NotAcking, health[Broken].Status?.State);

            AckBook book = new(_cluster.File.Committee);
            await using AckTap tap = new(_cluster, "publisher", book);
            await tap.OpenAsync(0, 1, 2, Broken);
            StreamId stream = await shared.PublishAsync(10);
            await Levels.ReachedAsync(_cluster);
            Assert.InRange(book.AcksOf(0, stream), 1, int.MaxValue);
            Assert.Equal(0, book.AcksOf(Broken, stream)); // in older streams it did, and their certificates say so
        });
    }

    private async Task BrokenAsync(Func<Task> breakIt)
    {
        await _cluster.KillAsync(Broken);
        string whole = Data + "-whole";
        DataFolder.Copy(Data, whole);
        try
        {
            await breakIt();
        }
        finally
        {
            await _cluster.KillAsync(Broken);
            DataFolder.Copy(whole, Data);
        }

        await _cluster.StartAsync();
        await _cluster[Broken].SaysAsync($"witness {Broken} acks:");
    }
}

/// <summary>One cluster that has something to lose, and an older copy of one witness's data.</summary>
public sealed class DataCluster : IAsyncLifetime
{
    public ProcessCluster Cluster { get; private set; } = null!;

    public string Older => Cluster.DataOf(3) + "-older";

    public async Task InitializeAsync()
    {
        Cluster = await ProcessCluster.StartedAsync();
        await PublishAsync(10);
        await Levels.ReachedAsync(Cluster);
        await Cluster.KillAsync(3);
        DataFolder.Copy(Cluster.DataOf(3), Older);
        await Cluster.StartAsync();
        await Cluster[3].SaysAsync("witness 3 acks:");

        // Without one of the others no certificate is without witness 3: all have its signature, however late its acks come.
        await Cluster.KillAsync(0);
        await PublishAsync(10);
        await Cluster.StartAsync();
        await Levels.ReachedAsync(Cluster);
    }

    public Task DisposeAsync() => Cluster.DisposeAsync().AsTask();

    public async Task<StreamId> PublishAsync(int count)
    {
        await using BftClient client = Cluster.Connect("publisher");
        await using Publisher publisher = await client.OpenPublisherAsync(ProcessCluster.NewTopic(), cancellationToken: ProcessCluster.Deadline);
        for (int i = 0; i < count; i++)
        {
            await publisher.PublishAsync(new Message("kept"u8.ToArray()), ProcessCluster.Deadline);
        }

        return publisher.Stream!.Id;
    }
}
