using System.ComponentModel;
using System.Diagnostics;

namespace Bft.Storage.Tests;

/// <summary>A test that watches system calls; skipped where strace is missing or may not trace.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class StraceFactAttribute : FactAttribute
{
    public StraceFactAttribute()
    {
        try
        {
            ProcessStartInfo start = new("strace", ["-o", "/dev/null", "true"]) { RedirectStandardError = true, UseShellExecute = false };
            using Process process = Process.Start(start)!;
            string errors = process.StandardError.ReadToEnd();
            process.WaitForExit();
            Skip = process.ExitCode == 0 ? null : $"strace may not trace here: {errors.Trim()}";
        }
        catch (Win32Exception)
        {
            Skip = "strace is not installed.";
        }
    }
}
