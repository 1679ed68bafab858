namespace Bft.Storage;

/// <summary>One directory of files: the real one (<see cref="FileDisk"/>) or a simulated one that loses what was not flushed.</summary>
/// <remarks>
/// Nothing here is durable by itself. A file's bytes and length are durable after <see cref="IDiskFile.Flush"/>; its name, and the end of
/// another name, after <see cref="FlushDirectory"/>. Every member throws <see cref="DiskException"/> and no other exception for what the disk refuses.
/// Different threads may use the directory and different files at once; a file takes reads at any time, and one writer.
/// </remarks>
public interface IDisk
{
    /// <summary>The names of the files in the directory, in ordinal order.</summary>
    IReadOnlyList<string> List();

    /// <summary>Opens a file that exists for reading and writing; never follows a symbolic link.</summary>
    IDiskFile Open(string name);

    /// <summary>Creates a file that must not exist, and reserves space.</summary>
    /// <param name="name">A plain file name.</param>
    /// <param name="preallocatedBytes">Space that later writes need not allocate. It does not count as length.</param>
    IDiskFile Create(string name, long preallocatedBytes = 0);

    /// <summary>Removes a file that exists. Open handles stay usable.</summary>
    void Delete(string name);

    /// <summary>Gives a file another name, replacing the file that had it.</summary>
    void Rename(string from, string to);

    /// <summary>Makes all names as they are now durable.</summary>
    void FlushDirectory();
}

/// <summary>An open file of an <see cref="IDisk"/>.</summary>
public interface IDiskFile : IDisposable
{
    /// <value>Bytes from the start to the last one written or left by <see cref="Truncate"/>.</value>
    long Length { get; }

    /// <summary>Fills <paramref name="destination"/> from <paramref name="offset"/> on, up to the end of the file.</summary>
    /// <returns>The bytes read; fewer than asked for only at the end of the file.</returns>
    int Read(long offset, Span<byte> destination);

    /// <summary>Writes all pieces one behind the other from <paramref name="offset"/> on, without copying them.</summary>
    void Write(long offset, IReadOnlyList<ReadOnlyMemory<byte>> pieces);

    /// <summary>Makes the bytes written so far, and the length, durable (fdatasync).</summary>
    void Flush();

    /// <summary>Says that durable bytes from <paramref name="offset"/> on will hardly be read soon, so that they need not be kept in memory. A hint: nothing is lost, nothing is refused.</summary>
    void Forget(long offset, long length)
    {
    }

    /// <summary>Cuts the file, and releases what was reserved beyond.</summary>
    void Truncate(long length);
}
