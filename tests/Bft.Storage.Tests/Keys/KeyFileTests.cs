using System.Diagnostics;

namespace Bft.Storage.Tests;

public sealed class KeyFileTests : IDisposable
{
    private static readonly byte[] Seed = [.. Enumerable.Range(100, KeyFile.SeedBytes).Select(number => (byte)number)];
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_seed_comes_back_and_its_file_and_directory_are_the_owners_alone()
    {
        string path = _directory["keys/deep/witness.key"];
        KeyFile.Create(path, Seed);

        using SecretBytes loaded = KeyFile.Load(path);

        Assert.Equal(Seed, loaded.Span.ToArray());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        const UnixFileMode OwnersAlone = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Assert.Equal(OwnersAlone, File.GetUnixFileMode(_directory["keys"]));
        Assert.Equal(OwnersAlone, File.GetUnixFileMode(_directory["keys/deep"]));
        Assert.StartsWith("bft-ed25519-seed-v1 646566", File.ReadAllText(path), StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_is_zeroed_and_unreadable_once_disposed()
    {
        SecretBytes secret = new(2);
        Span<byte> bytes = secret.Span;
        bytes.Fill(7);

        secret.Dispose();

        Assert.Equal([0, 0], bytes.ToArray());
        Assert.Throws<ObjectDisposedException>(() => secret.Span.Length);
    }

    [Fact]
    public void A_key_is_never_overwritten_not_even_through_a_link_that_leads_nowhere()
    {
        string path = _directory["a.key"];
        KeyFile.Create(path, Seed);
        Assert.Contains("never overwritten", Refusal(() => KeyFile.Create(path, new byte[32])), StringComparison.Ordinal);
        KeyFile.Load(path).Dispose();

        File.CreateSymbolicLink(_directory["link.key"], _directory["nowhere.key"]);
        Refusal(() => KeyFile.WriteProtected(_directory["link.key"], Seed));
        Assert.False(File.Exists(_directory["nowhere.key"]));
    }

    [Theory]
    [InlineData("640")]
    [InlineData("604")]
    [InlineData("620")]
    [InlineData("602")]
    [InlineData("610")]
    [InlineData("700")]
    [InlineData("4600")]
    public void A_file_with_a_wider_mode_is_refused_with_the_fix(string mode)
    {
        string path = _directory["a.key"];
        KeyFile.Create(path, Seed);
        ChangeMode(path, mode);

        Assert.EndsWith($"has mode {mode}, so that others could read or replace the key. Fix: chmod 600 '{path}'", Refusal(() => KeyFile.Load(path)), StringComparison.Ordinal);
        Refusal(() => KeyFile.ReadProtected(path));
    }

    [Theory]
    [InlineData("750")]
    [InlineData("705")]
    [InlineData("720")]
    [InlineData("701")]
    public void A_directory_with_a_wider_mode_is_refused_with_the_fix(string mode)
    {
        KeyFile.Create(_directory["a.key"], Seed);
        ChangeMode(_directory.Root, mode);

        Assert.EndsWith($"Fix: chmod 700 '{_directory.Root}'", Refusal(() => KeyFile.Load(_directory["a.key"])), StringComparison.Ordinal);
        Refusal(() => KeyFile.Create(_directory["b.key"], Seed));
        Assert.False(File.Exists(_directory["b.key"]));
    }

    [Fact]
    public void A_narrower_mode_is_accepted()
    {
        string path = _directory["a.key"];
        KeyFile.Create(path, Seed);
        ChangeMode(path, "400");

        KeyFile.Load(path).Dispose();
    }

    [Fact]
    public void A_symbolic_link_is_refused()
    {
        KeyFile.Create(_directory["a.key"], Seed);
        File.CreateSymbolicLink(_directory["link.key"], _directory["a.key"]);

        Assert.Contains("symbolic link", Refusal(() => KeyFile.Load(_directory["link.key"])), StringComparison.Ordinal);
    }

    [RootFact]
    public void A_key_of_another_user_is_refused_with_the_fix()
    {
        string path = _directory["a.key"];
        KeyFile.Create(path, Seed);
        Run("chown", "12345", path);

        Assert.EndsWith($"Fix: chown 0 '{path}'", Refusal(() => KeyFile.Load(path)), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_regular_file_is_refused_without_waiting_for_it()
    {
        Run("mkfifo", "-m", "600", _directory["pipe.key"]);
        Assert.Contains("no regular file", Refusal(() => KeyFile.Load(_directory["pipe.key"])), StringComparison.Ordinal);
        Assert.Contains("no such file", Refusal(() => KeyFile.Load(_directory["none.key"])), StringComparison.Ordinal);
        Assert.Contains("cannot be opened", Refusal(() => KeyFile.Load(_directory["none/none.key"])), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("bft-ed25519-seed-v1 ")]
    [InlineData("bft-ed25519-seed-v2 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n")]
    [InlineData("bft-ed25519-seed-v1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1\n")]
    [InlineData("bft-ed25519-seed-v1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f00\n")]
    [InlineData("bft-ed25519-seed-v1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1exx\n")]
    [InlineData("bft-ed25519-seed-v1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n\n")]
    public void A_malformed_file_is_refused(string content)
    {
        KeyFile.WriteProtected(_directory["a.key"], System.Text.Encoding.ASCII.GetBytes(content));

        Assert.Contains("holds no Ed25519 seed", Refusal(() => KeyFile.Load(_directory["a.key"])), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_larger_than_any_key_is_refused()
    {
        KeyFile.WriteProtected(_directory["a.key"], new byte[(64 << 10) + 1]);

        Assert.Contains("at most", Refusal(() => KeyFile.ReadProtected(_directory["a.key"])), StringComparison.Ordinal);
    }

    private static string Refusal(Action action) => Assert.Throws<KeyFileException>(action).Message;

    private static void ChangeMode(string path, string mode) => Run("chmod", mode, path);

    private static void Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
