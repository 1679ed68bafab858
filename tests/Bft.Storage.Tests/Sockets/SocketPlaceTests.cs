using System.Diagnostics;
using System.Net.Sockets;

namespace Bft.Storage.Tests.Sockets;

/// <summary>Which folders a Unix socket may be in: whoever could put another one there could pass himself off as the witness.</summary>
public sealed class SocketPlaceTests : IDisposable
{
    private const UnixFileMode OwnerAll = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private readonly string _folder = Directory.CreateTempSubdirectory("bft-socket-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(UnixFileMode.None)]
    [InlineData(UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute)]
    public void A_folder_that_only_its_owner_writes_to_is_guarded(UnixFileMode more)
    {
        File.SetUnixFileMode(_folder, OwnerAll | more);

        Assert.True(SocketPlace.IsGuarded(In("w0.sock"), out uint owner, out string? problem), problem);
        Assert.True(SocketPlace.IsOwn(owner));
    }

    [Theory]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherWrite)]
    [InlineData(UnixFileMode.OtherWrite | UnixFileMode.StickyBit)]
    public void A_folder_that_others_write_to_is_not(UnixFileMode more)
    {
        File.SetUnixFileMode(_folder, OwnerAll | more);

        AssertOpen(In("w0.sock"), $"chmod go-w '{_folder}'");
    }

    [Fact]
    public void A_folder_below_one_that_others_write_to_is_not_for_they_can_rename_it()
    {
        string inner = Directory.CreateDirectory(In("inner"), OwnerAll).FullName;
        File.SetUnixFileMode(_folder, OwnerAll | UnixFileMode.GroupWrite);

        AssertOpen(Path.Combine(inner, "w0.sock"), $"chmod go-w '{_folder}'");

        File.SetUnixFileMode(_folder, OwnerAll | UnixFileMode.GroupWrite | UnixFileMode.StickyBit); // like /tmp: they cannot
        Assert.True(SocketPlace.IsGuarded(Path.Combine(inner, "w0.sock"), out _, out string? problem), problem);
    }

    [Fact]
    public void A_symbolic_link_on_the_way_is_not_followed()
    {
        Directory.CreateDirectory(In("real"), OwnerAll);
        Directory.CreateSymbolicLink(In("link"), In("real"));

        Assert.True(SocketPlace.IsGuarded(In("real/w0.sock"), out _, out _));
        AssertOpen(In("link/w0.sock"), "symbolic link");
    }

    [Fact]
    public void A_folder_that_is_not_there_is_named() => AssertOpen(In("none/w0.sock"), In("none"));

    [Fact]
    public void The_root_folder_is_looked_at_like_any_other() => Assert.True(SocketPlace.IsGuarded("/w0.sock", out uint owner, out string? problem) && owner == 0, problem);

    [RootFact]
    public async Task The_folder_of_somebody_else_is_guarded_and_one_below_it_that_is_not_his_is_not()
    {
        string outer = Directory.CreateDirectory(In("outer"), OwnerAll).FullName;
        string inner = Directory.CreateDirectory(Path.Combine(outer, "inner"), OwnerAll).FullName;
        await ChangeOwnerAsync(65_533, outer);
        await ChangeOwnerAsync(65_533, inner);
        Assert.True(SocketPlace.IsGuarded(Path.Combine(inner, "w0.sock"), out uint owner, out string? problem), problem);
        Assert.Equal(65_533u, owner);
        Assert.False(SocketPlace.IsOwn(owner));

        await ChangeOwnerAsync(65_532, outer);
        AssertOpen(Path.Combine(inner, "w0.sock"), "belongs to user 65532");
    }

    [RootFact]
    public async Task In_a_folder_like_tmp_somebody_elses_folder_may_be_anybodys()
    {
        string inner = Directory.CreateDirectory(In("inner"), OwnerAll).FullName;
        await ChangeOwnerAsync(65_533, inner);
        File.SetUnixFileMode(_folder, OwnerAll | UnixFileMode.OtherWrite | UnixFileMode.StickyBit);

        AssertOpen(Path.Combine(inner, "w0.sock"), $"chmod go-w '{_folder}'");
    }

    [Fact]
    public async Task Whoever_listens_is_known_to_who_connects_and_the_other_way_round()
    {
        UnixDomainSocketEndPoint place = new(In("w0.sock"));
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(place);
        listener.Listen();
        using Socket client = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await client.ConnectAsync(place);
        using Socket server = await listener.AcceptAsync();

        Assert.True(SocketPlace.IsOwn(SocketPlace.UserBehind(client)));
        Assert.True(SocketPlace.IsOwn(SocketPlace.UserBehind(server)));
    }

    private static void AssertOpen(string path, string part)
    {
        Assert.False(SocketPlace.IsGuarded(path, out _, out string? problem));
        Assert.Contains(part, problem, StringComparison.Ordinal);
    }

    private static async Task ChangeOwnerAsync(int user, string path)
    {
        using Process change = Process.Start("chown", [$"{user}", path]);
        await change.WaitForExitAsync();
        Assert.Equal(0, change.ExitCode);
    }

    private string In(string name) => Path.Combine(_folder, name);
}
