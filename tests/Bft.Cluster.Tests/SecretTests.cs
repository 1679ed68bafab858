using System.Diagnostics;
using System.Text;
using Bft.Client;
using Bft.Cluster.Tests.Support;
using Bft.Protocol.Bodies;
using Bft.Storage;

namespace Bft.Cluster.Tests;

/// <summary>Nothing that is printed, logged or left by a crash has a private key in it, in any of the forms in which keys are written.</summary>
public sealed class SecretTests : IAsyncLifetime
{
    private readonly StringBuilder _printed = new();
    private ProcessCluster _cluster = null!;

    public async Task InitializeAsync() => _cluster = await ProcessCluster.StartedAsync();

    public Task DisposeAsync() => _cluster.DisposeAsync().AsTask();

    [Fact]
    public async Task No_private_key_is_in_what_is_printed_whatever_goes_wrong()
    {
        string home = Path.Combine(_cluster.Folder, "witness-3");
        string key = Path.Combine(home, "witness.key");
        string tls = Path.Combine(home, "tls.key");
        string client = _cluster.KeyFileOf("publisher");
        List<string> secrets = [.. Directory.EnumerateFiles(_cluster.Folder, "*.key", SearchOption.AllDirectories).SelectMany(FormsOf)];
        Assert.True(secrets.Count >= 32);

        // While all is well, with a reload; and a crash.
        await using (BftClient connected = _cluster.Connect("publisher"))
        {
            await using Publisher publisher = await connected.OpenPublisherAsync(ProcessCluster.NewTopic(), cancellationToken: ProcessCluster.Deadline);
            await publisher.PublishAsync(new Message("x"u8.ToArray()), ProcessCluster.Deadline);
        }

        await _cluster[0].HangUpAsync("read ");
        await RunAsync(0, "status", "--cluster", _cluster.ClusterPath, "--identity", "publisher", "--json");
        WitnessProcess crashed = _cluster[3];
        await crashed.AbortAsync();
        await _cluster.KillAsync(3);
        _printed.Append(crashed.Log);

        // Keys that are open to others, cut off, of another kind, in another's place.
        string[] node = ["node", "--cluster", _cluster.ClusterPath, "--index", "3"];
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        await RunAsync(31, node);
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        byte[] whole = await File.ReadAllBytesAsync(tls);
        await File.WriteAllBytesAsync(tls, whole[..^40]);
        await RunAsync(31, node);
        await File.WriteAllBytesAsync(tls, [.. whole[..60], .. "!!"u8, .. whole[62..]]);
        await RunAsync(31, node);
        await File.WriteAllBytesAsync(tls, whole);
        await RunAsync(31, "node", "--cluster", _cluster.ClusterPath, "--key", tls);
        await RunAsync(31, "node", "--cluster", _cluster.ClusterPath, "--key", client);
        byte[] seed = await File.ReadAllBytesAsync(key);
        await File.WriteAllBytesAsync(key, seed[..^2]);
        await RunAsync(31, node);
        await File.WriteAllBytesAsync(key, [.. seed, .. seed]);
        await RunAsync(31, node);
        await File.WriteAllBytesAsync(key, seed);
        byte[] identity = await File.ReadAllBytesAsync(client);
        await File.WriteAllBytesAsync(client, identity[..^2]);
        await RunAsync(1, "status", "--cluster", _cluster.ClusterPath, "--identity", "publisher");
        await File.WriteAllBytesAsync(client, identity);
        await RunAsync(null, "status", "--cluster", _cluster.ClusterPath, "--identity", key);
        await RunAsync(null, "publish", "plain.x", "--cluster", key, "--identity", "publisher", "--message", "x");

        for (int index = 0; index < 3; index++)
        {
            _printed.Append(_cluster[index].Log);
        }

        string printed = _printed.ToString();
        Assert.Contains("ready on", printed, StringComparison.Ordinal);
        Assert.Equal([], secrets.Where(secret => printed.Contains(secret, StringComparison.OrdinalIgnoreCase)));
        Assert.Empty(Directory.EnumerateFiles(_cluster.Folder, "core*", SearchOption.AllDirectories));
    }

    /// <summary>As text, bytes, hexadecimal and base64, each in pieces that are too long to be there by chance.</summary>
    private static IEnumerable<string> FormsOf(string path)
    {
        if (path.EndsWith("tls.key", StringComparison.Ordinal))
        {
            return [.. File.ReadAllLines(path).Where(line => line.Length >= 16 && !line.StartsWith("-----", StringComparison.Ordinal)).SelectMany(line => new[] { line[..16], line[^16..] })];
        }

        using SecretBytes seed = KeyFile.Load(path);
        return [Convert.ToHexString(seed.Span)[..16], Convert.ToHexString(seed.Span)[^16..], Convert.ToBase64String(seed.Span)[..16], Encoding.Latin1.GetString(seed.Span)[..16]];
    }

    private async Task RunAsync(int? exitCode, params string[] arguments)
    {
        using Process process = Process.Start(WitnessProcess.Program(arguments))!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync(ProcessCluster.Deadline);
        string printed = await output + await error;
        _printed.Append(printed);
        Assert.True(exitCode is null || process.ExitCode == exitCode, $"{string.Join(' ', arguments)} exited with {process.ExitCode}: {printed}");
    }
}
