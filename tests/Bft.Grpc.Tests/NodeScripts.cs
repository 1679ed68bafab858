using System.Diagnostics;

namespace Bft.Grpc.Tests;

/// <summary>The scripts beside the tests, with the packages that they need.</summary>
public sealed class NodeScripts : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Foreign");

    public static string? WhyMissing { get; } = new[] { "node", "npm" }.FirstOrDefault(tool => !IsOnPath(tool)) is { } missing
        ? $"'{missing}' is not installed: calls from and to grpc-js are not tested."
        : null;

    /// <summary>Installs what the lock file names, unless it is there.</summary>
    public async Task InitializeAsync()
    {
        string installed = Path.Combine(Folder, "node_modules", ".package-lock.json");
        string wanted = Path.Combine(Folder, "package-lock.json");
        if (WhyMissing is null && (!File.Exists(installed) || File.GetLastWriteTimeUtc(installed) < File.GetLastWriteTimeUtc(wanted)))
        {
            await RunAsync("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund");
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    /// <returns>What the program printed; it must end well.</returns>
    public static Task<string> RunAsync(string program, params string[] arguments) => RunAsync(Start(program, arguments));

    /// <inheritdoc cref="RunAsync(string, string[])"/>
    public static async Task<string> RunAsync(Process started)
    {
        using Process process = started;
        using CancellationTokenSource patience = new(Patience);
        Task<string> output = process.StandardOutput.ReadToEndAsync(patience.Token);
        Task<string> errors = process.StandardError.ReadToEndAsync(patience.Token);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }

        Assert.True(process.ExitCode == 0, await errors);
        return await output;
    }

    public static Process Start(string program, params string[] arguments) => Process.Start(Prepare(program, arguments))!;

    public static ProcessStartInfo Prepare(string program, params string[] arguments) => new(program, arguments)
    {
        WorkingDirectory = Folder,
        UseShellExecute = false,
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    };

    private static bool IsOnPath(string tool) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, tool)));
}
