using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Bft.Storage.Tests;

/// <summary>The order of system calls on which durability rests, as the kernel sees it.</summary>
public sealed partial class FileDiskOrderTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [StraceFact]
    public void A_commit_is_a_write_then_fdatasync_and_a_new_segment_flushes_its_directory_too()
    {
        (string output, string[] calls) = Trace();

        Assert.Equal(Program.Durable, output);
        Assert.Equal(
            [
                "mkdir data",
                "fsync .",
                "fsync data", // nothing to clean up, durably
                "create 0000000000000001.journal",
                "fallocate 0000000000000001.journal",
                "write 0000000000000001.journal",
                "fdatasync 0000000000000001.journal",
                "fsync data",
                "write 0000000000000001.journal",
                "fdatasync 0000000000000001.journal",
            ],
            calls);
    }

    [StraceFact]
    public void A_failed_fdatasync_poisons_the_journal()
    {
        (string output, _) = Trace("-e", "inject=fdatasync:error=EIO:when=2");

        Assert.Equal($"{Program.Poisoned} fdatasync 5", output);
    }

    [StraceFact]
    public void An_error_that_the_framework_would_ignore_counts()
    {
        (string output, _) = Trace("-e", "inject=fdatasync:error=EINVAL:when=2");

        Assert.Equal($"{Program.Poisoned} fdatasync 22", output);
    }

    private (string Output, string[] Calls) Trace(params string[] options)
    {
        const string Traced = "trace=mkdir,openat,fallocate,pwrite64,pwritev,pwritev2,fsync,fdatasync,rename,unlink,ftruncate";
        string log = _directory["strace"];
        string data = _directory["data"];
        using Process process = Process.Start(new ProcessStartInfo(
            "strace", ["-f", "-y", "-o", log, "-e", Traced, .. options, "dotnet", "exec", typeof(Program).Assembly.Location, data])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        })!;
        string output = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        return (output, [.. File.ReadLines(log).Select(Parse).OfType<string>()]);
    }

    /// <returns>Call and file name; null for a call that changes nothing or is about another file.</returns>
    private string? Parse(string line)
    {
        Match match = Call().Match(line);
        string path = match.Groups["path"].Value;
        string call = match.Groups["call"].Value;
        if (!match.Success || !path.StartsWith(_directory.Root, StringComparison.Ordinal) || (call == "openat" && !line.Contains("O_EXCL", StringComparison.Ordinal)))
        {
            return null;
        }

        if (call == "openat")
        {
            Assert.Contains("O_NOFOLLOW", line, StringComparison.Ordinal);
            Assert.Contains("O_CLOEXEC", line, StringComparison.Ordinal);
        }

        string name = path == _directory.Root ? "." : Path.GetFileName(path);
        return $"{(call == "openat" ? "create" : call.StartsWith("pwrite", StringComparison.Ordinal) ? "write" : call)} {name}";
    }

    // 123 fdatasync(17</tmp/a/b>) = 0    123 openat(AT_FDCWD</x>, "/tmp/a/b", O_RDWR…) = 17</tmp/a/b>
    [GeneratedRegex("""^\d+ +(?<call>\w+)\((AT_FDCWD(<[^>]*>)?, )?(\d+<|")(?<path>[^>"]*)[>"]""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Call();
}
