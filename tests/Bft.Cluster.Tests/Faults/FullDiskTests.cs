using System.Diagnostics;
using Bft.Client;
using Bft.Cluster.Tests.Support;
using Bft.Crypto;
using Bft.Node;
using Bft.Protocol.Bodies;

namespace Bft.Cluster.Tests.Faults;

/// <summary>A data folder on a file system that is too small, until it is made larger.</summary>
public sealed class FullDiskTests : IAsyncLifetime
{
    private const int Full = 3;
    private readonly string _mount = Directory.CreateTempSubdirectory("bft-full-").FullName;
    private ProcessCluster _cluster = null!;

    public async Task InitializeAsync() => _cluster = await ProcessCluster.MadeAsync();

    public async Task DisposeAsync()
    {
        await _cluster.DisposeAsync();
        MountFactAttribute.Run("umount", "-l", _mount);
        Directory.Delete(_mount, recursive: true);
    }

    [MountFact]
    public async Task A_full_disk_ends_one_witness_with_35_and_with_room_it_starts_again_and_catches_up()
    {
        Assert.Null(MountFactAttribute.Run("mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", _mount));
        _cluster.PutData(Full, Path.Combine(_mount, "data"));
        await FullAsync(); // too small from the start

        Resize("72m"); // one segment
        await _cluster.StartAsync();
        AckBook book = new(_cluster.File.Committee);
        await using AckTap honest = new(_cluster, "publisher", book);
        await using AckTap forged = new(_cluster, "twin", book);
        using Ed25519Signer signer = _cluster.SignerOf("twin");
        Twin twin = new(_cluster, forged, signer);
        await forged.OpenAsync(0, 1, 2, 3);
        await twin.OfferAsync(5, Random.Shared);
        await using BftClient client = _cluster.Connect("publisher");
        await using Publisher publisher = await client.OpenPublisherAsync(ProcessCluster.NewTopic(), cancellationToken: ProcessCluster.Deadline);
        for (int megabytes = 0; megabytes < 100; megabytes++)
        {
            await publisher.SendAsync(new Message(new byte[512 * 1024]), ProcessCluster.Deadline);
            await publisher.SendAsync(new Message(new byte[512 * 1024]), ProcessCluster.Deadline);
        }

        await publisher.FlushAsync(ProcessCluster.Deadline);
        await FullAsync();
        await _cluster.AssertServesAsync(0);

        Resize("400m");
        await _cluster.StartAsync();
        await _cluster[Full].SaysAsync($"witness {Full} acks:");
        await forged.OpenAsync(Full);
        await twin.OfferOtherAsync();
        await Levels.ReachedAsync(_cluster);
        await _cluster.AssertServesAsync(Full);
        book.AssertNoDoubles();
    }

    private void Resize(string size) => Assert.Null(MountFactAttribute.Run("mount", "-o", $"remount,size={size}", _mount));

    /// <summary>It ends, and says why.</summary>
    private async Task FullAsync()
    {
        WitnessProcess witness = _cluster.Launch(Full);
        Assert.Equal(NodeExitCode.Disk, await witness.EndedAsync());
        Assert.Contains("No space left on device", witness.Log, StringComparison.Ordinal);
        Assert.Contains("Free or repair the disk", witness.Log, StringComparison.Ordinal);
        await _cluster.KillAsync(Full);
    }
}

/// <summary>Needs the right to mount a file system of a chosen size.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MountFactAttribute : FactAttribute
{
    public MountFactAttribute() => Skip = Why;

    private static string? Why { get; } = Probe();

    /// <returns>What it complained about; null when it worked.</returns>
    internal static string? Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? null : error.Trim();
    }

    private static string? Probe()
    {
        string folder = Directory.CreateTempSubdirectory("bft-mount-").FullName;
        string? problem = Run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder);
        if (problem is null)
        {
            Run("umount", folder);
        }

        Directory.Delete(folder);
        return problem is null ? null : $"Needs the right to mount a file system of limited size (root): {problem}";
    }
}
