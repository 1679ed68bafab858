using System.Text;

namespace Bft.Storage.Tests;

public sealed class FileDiskTests : IDisposable
{
    private const int NotFound = 2;
    private const int Exists = 17;
    private const int TooManyLinks = 40;
    private readonly TemporaryDirectory _directory = new();
    private readonly FileDisk _disk;

    public FileDiskTests() => _disk = FileDisk.At(_directory["data"]);

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void What_is_written_reads_back_up_to_the_end()
    {
        using IDiskFile file = _disk.Create("a", preallocatedBytes: 1 << 20);
        Assert.Equal(0, file.Length);
        file.Write(3, [Encoding.ASCII.GetBytes("one"), default, Encoding.ASCII.GetBytes("two")]);
        file.Flush();

        byte[] bytes = new byte[20];
        Assert.Equal(9, file.Read(0, bytes));
        Assert.Equal("\0\0\0onetwo", Encoding.ASCII.GetString(bytes, 0, 9));
        Assert.Equal(0, file.Read(9, bytes));

        file.Truncate(5);
        Assert.Equal(5, file.Length);
    }

    [Fact]
    public void More_pieces_than_one_system_call_takes_are_written()
    {
        byte[] bytes = JournalExtensions.BodyOf(1, 5000);
        using IDiskFile file = _disk.Create("a");
        file.Write(0, [.. Enumerable.Range(0, bytes.Length).Select(index => (ReadOnlyMemory<byte>)bytes.AsMemory(index, 1))]);

        Assert.Equal(bytes, File.ReadAllBytes(_directory["data/a"]));
    }

    [Fact]
    public void Names_are_listed_in_order_renamed_and_deleted()
    {
        foreach (string name in new[] { "b", "a", "B" })
        {
            _disk.Create(name).Dispose();
        }

        Assert.Equal(["B", "a", "b"], _disk.List());
        _disk.Rename("a", "b");
        _disk.Delete("B");
        _disk.FlushDirectory();
        Assert.Equal(["b"], _disk.List());
    }

    [Fact]
    public void A_refusal_says_what_where_and_why()
    {
        _disk.Create("a").Dispose();
        File.CreateSymbolicLink(_directory["data/link"], _directory["data/a"]);

        DiskException exists = Assert.Throws<DiskException>(() => _disk.Create("a"));
        Assert.Equal((Exists, "open", _directory["data/a"]), (exists.Errno, exists.Operation, exists.Path));
        Assert.Equal($"open of {_directory["data/a"]} failed: File exists (errno 17).", exists.Message);
        Assert.Equal(NotFound, Assert.Throws<DiskException>(() => _disk.Open("none")).Errno);
        Assert.Equal(NotFound, Assert.Throws<DiskException>(() => _disk.Delete("none")).Errno);
        Assert.Equal(NotFound, Assert.Throws<DiskException>(() => _disk.Rename("none", "b")).Errno);
        Assert.Equal(TooManyLinks, Assert.Throws<DiskException>(() => _disk.Open("link")).Errno);
        Assert.Equal("fallocate", Assert.Throws<DiskException>(() => _disk.Create("huge", long.MaxValue)).Operation);
        Assert.Throws<DiskException>(() => FileDisk.At(_directory["data/a"]));
        Assert.Throws<ArgumentException>(() => _disk.Create("../a"));
    }

    [Fact]
    public void A_missing_directory_is_created_for_its_owner_alone()
    {
        FileDisk.At(_directory["x/y"]);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_directory["x"]));
    }

    /// <summary>A size-limited file: what a write past it gets is what it gets on a full disk.</summary>
    [Fact]
    public void A_failed_write_is_a_refusal()
    {
        using IDiskFile file = _disk.Create("a");

        DiskException refusal = Assert.Throws<DiskException>(() => file.Write(long.MaxValue - 10, [new byte[100]]));
        Assert.True(refusal.Operation == "pwritev" && refusal.Errno is 22 or 27, refusal.Message);
    }
}
