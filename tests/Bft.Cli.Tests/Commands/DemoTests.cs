using System.Diagnostics;
using System.Text.Json;
using Bft.Cli.Tests.Support;

namespace Bft.Cli.Tests.Commands;

public sealed class DemoTests : IDisposable
{
    private readonly TemporaryDirectory _temporary = new();

    public void Dispose() => _temporary.Dispose();

    [Fact]
    public async Task Every_step_is_done_and_nothing_is_left_behind()
    {
        using BftProcess process = BftProcess.Start(Demo("--json"));
        BftResult result = await process.EndAsync();

        Assert.True(result.ExitCode == 0, result.ToString());
        JsonElement[] steps = [.. result.Events.Where(one => one.GetProperty("event").GetString() == "step")];
        Assert.Equal(Enumerable.Range(1, 9), steps.Select(step => step.GetProperty("number").GetInt32()));
        Assert.Equal(12_000, result.Events[^1].GetProperty("messages").GetInt64());
        Assert.Equal("34891c1c110e1ea7f763fe601061539bdbcf0c81f575c9f15f233edf3cb0c0ac", result.Events[^1].GetProperty("sha256").GetString());
        Assert.Empty(Directory.EnumerateFileSystemEntries(_temporary.Root));
        Assert.DoesNotContain(Witnesses(), id => Directory.Exists($"/proc/{id}"));
    }

    [Fact]
    public async Task A_signal_in_the_middle_leaves_nothing_behind_either()
    {
        using BftProcess process = BftProcess.Start(Demo());
        await process.SeenAsync("Start four witnesses");
        int[] witnesses = [.. Witnesses()];

        process.Terminate();
        BftResult result = await process.EndAsync();

        Assert.Equal((int)ExitCode.Terminated, result.ExitCode);
        Assert.NotEmpty(witnesses);
        Assert.DoesNotContain(witnesses, id => Directory.Exists($"/proc/{id}"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_temporary.Root));
    }

    [Fact]
    public async Task Its_own_input_is_published_and_kept_on_request()
    {
        string input = _temporary.Write("input", "one\n\ntwo\r\nthree"u8);

        using BftProcess process = BftProcess.Start(Demo("--input", input, "--keep", "--json"));
        BftResult result = await process.EndAsync();

        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal(4, result.Events[^1].GetProperty("messages").GetInt64());
        string folder = result.Events[^1].GetProperty("folder").GetString()!;
        Assert.True(File.Exists(Path.Combine(folder, "cluster.yaml")));
        Assert.True(File.Exists(Path.Combine(folder, "mallory.evidence")));
    }

    private ProcessStartInfo Demo(params string[] arguments)
    {
        ProcessStartInfo start = BftProcess.StartInfo(["demo", .. arguments], ("TMPDIR", _temporary.Root));

        // That killed witnesses leave no sockets is the demo's own doing.
        start.Environment.Remove("DOTNET_EnableDiagnostics");
        return start;
    }

    /// <summary>Processes that serve a cluster of this test.</summary>
    private IEnumerable<int> Witnesses() => Directory.EnumerateDirectories("/proc")
        .Select(path => int.TryParse(Path.GetFileName(path), out int id) ? id : 0)
        .Where(id => id > 0 && CommandLineOf(id).Contains(_temporary.Root, StringComparison.Ordinal));

    private static string CommandLineOf(int id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/cmdline");
        }
        catch (IOException)
        {
            return "";
        }
    }
}
