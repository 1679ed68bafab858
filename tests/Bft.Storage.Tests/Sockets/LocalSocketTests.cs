using System.Diagnostics;
using System.Net.Sockets;

namespace Bft.Storage.Tests.Sockets;

/// <summary>When a Unix socket is dialled, and when it is passed over.</summary>
public sealed class LocalSocketTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("bft-socket-").FullName;
    private readonly List<string> _notes = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void One_on_another_host_is_not_there()
    {
        Assert.False(New().IsThere());
        Assert.Empty(_notes);
    }

    [Fact]
    public async Task One_that_is_listened_on_is_dialled()
    {
        using Socket listener = Listen();
        LocalSocket socket = New();

        Assert.True(socket.IsThere());
        await using Stream dialled = await socket.ConnectAsync(CancellationToken.None);
        using Socket accepted = await listener.AcceptAsync();
        await dialled.WriteAsync(new byte[] { 42 });
        byte[] received = new byte[1];
        Assert.Equal(1, await accepted.ReceiveAsync(received));
        Assert.Equal(42, received[0]);
    }

    [Fact]
    public async Task One_that_nobody_listens_on_is_passed_over_until_there_is_another()
    {
        Abandon();
        LocalSocket socket = New();
        Assert.True(socket.IsThere()); // as far as can be seen
        await Assert.ThrowsAsync<IOException>(async () => await socket.ConnectAsync(CancellationToken.None));
        Assert.True(socket.IsThere()); // as young as it is, its process may be about to listen

        File.SetLastWriteTimeUtc(Place, DateTime.UtcNow.AddMinutes(-1));
        IOException refused = await Assert.ThrowsAsync<IOException>(async () => await socket.ConnectAsync(CancellationToken.None));

        Assert.Contains(Place, refused.Message, StringComparison.Ordinal);
        Assert.False(socket.IsThere());
        Assert.Empty(_notes); // the call's own failure says it
        File.Delete(Place);
        Assert.False(socket.IsThere());
        using Socket listener = Listen();
        Assert.True(socket.IsThere());
    }

    [Fact]
    public async Task One_in_a_folder_that_others_write_to_is_passed_over_and_that_is_said_once()
    {
        using Socket listener = Listen();
        File.SetUnixFileMode(_folder, File.GetUnixFileMode(_folder) | UnixFileMode.OtherWrite);
        LocalSocket socket = New();

        Assert.False(socket.IsThere());
        Assert.False(socket.IsThere());

        Assert.Contains("chmod go-w", Assert.Single(_notes), StringComparison.Ordinal);
        await Assert.ThrowsAsync<IOException>(async () => await socket.ConnectAsync(CancellationToken.None));
        File.SetUnixFileMode(_folder, File.GetUnixFileMode(_folder) & ~UnixFileMode.OtherWrite);
        Assert.True(socket.IsThere());
    }

    [RootFact]
    public async Task One_that_somebody_else_listens_on_than_the_owner_of_its_folder_is_hung_up_on()
    {
        // His folder at first, in which he listens; then another's.
        const string Listener = "65533";
        string folder = Path.Combine(_folder, "his");
        string place = Path.Combine(folder, "w0.sock");
        Directory.CreateDirectory(folder);
        File.SetUnixFileMode(_folder, File.GetUnixFileMode(_folder) | UnixFileMode.OtherExecute);
        await RunAsync("chown", Listener, folder);
        using Process process = Process.Start(new ProcessStartInfo("setpriv", ["--reuid", Listener, "--regid", Listener, "--clear-groups", "dotnet", "exec", typeof(Program).Assembly.Location, Program.Listen, place])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        Assert.Equal(Program.Listening, await process.StandardOutput.ReadLineAsync());
        LocalSocket socket = new(place, _notes.Add);
        await using (await socket.ConnectAsync(CancellationToken.None))
        {
        }

        await RunAsync("chown", "65532", folder);
        IOException refused = await Assert.ThrowsAsync<IOException>(async () => await socket.ConnectAsync(CancellationToken.None));

        Assert.Contains("user 65533 listens there, and not user 65532", refused.Message, StringComparison.Ordinal);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }

    private string Place => Path.Combine(_folder, "w0.sock");

    private LocalSocket New() => new(Place, _notes.Add);

    private Socket Listen(string? place = null)
    {
        Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(place ?? Place));
        listener.Listen();
        return listener;
    }

    /// <summary>As a process does that is killed. The framework removes the file of a socket that it closes, so it is called otherwise by then.</summary>
    private void Abandon()
    {
        string first = Place + ".first";
        using Socket listener = Listen(first);
        File.Move(first, Place);
    }
}
