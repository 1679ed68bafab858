using System.IO.MemoryMappedFiles;
using System.Text;

namespace Bft.Fuzz;

/// <summary>The input under way, in a file that outlives the process: a stack overflow or a kill for memory leaves no other trace.</summary>
internal sealed class LastInput : IDisposable
{
    private const int HeadBytes = 64;
    private readonly string _path;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly Timer _watch;
    private readonly TimeSpan _patience;
    private long _begun;

    /// <param name="path">Deleted when all went well.</param>
    /// <param name="lengthMax">Of an input. Unit: bytes.</param>
    /// <param name="patience">One input may take this long; then the process ends, and the file says which it was.</param>
    public LastInput(string path, int lengthMax, TimeSpan patience)
    {
        _path = path;
        _patience = patience;
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Create, null, HeadBytes + sizeof(int) + lengthMax);
        _view = _file.CreateViewAccessor();
        _watch = new Timer(_ => Watch(), null, patience, TimeSpan.FromSeconds(1));
    }

    public void Begin(string target, byte[] input)
    {
        byte[] head = new byte[HeadBytes];
        Encoding.ASCII.GetBytes(target, head);
        _view.WriteArray(0, head, 0, head.Length);
        _view.Write(HeadBytes, input.Length);
        _view.WriteArray(HeadBytes + sizeof(int), input, 0, input.Length);
        Volatile.Write(ref _begun, Environment.TickCount64);
    }

    public void End() => Volatile.Write(ref _begun, 0);

    /// <summary>The input that a file holds.</summary>
    public static (string Target, byte[] Input) Read(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        return (Encoding.ASCII.GetString(bytes.AsSpan(0, HeadBytes)).TrimEnd('\0'), bytes.AsSpan(HeadBytes + sizeof(int), BitConverter.ToInt32(bytes, HeadBytes)).ToArray());
    }

    public void Dispose()
    {
        _watch.Dispose();
        _view.Dispose();
        _file.Dispose();
        File.Delete(_path);
    }

    private void Watch()
    {
        long begun = Volatile.Read(ref _begun);
        if (begun != 0 && Environment.TickCount64 - begun > _patience.TotalMilliseconds)
        {
            Console.Error.WriteLine($"FOUND hang: an input takes longer than {_patience.TotalSeconds} s; it is in {_path}");
            Environment.Exit(Exit.Found);
        }
    }
}
