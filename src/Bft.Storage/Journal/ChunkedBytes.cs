namespace Bft.Storage;

/// <summary>Bytes that grow and are never moved: as many chunks as are needed, none of them large.</summary>
internal sealed class ChunkedBytes
{
    private const int ChunkBytes = 64 * 1024;
    private const int SparesMax = 16;

    private readonly List<ReadOnlyMemory<byte>> _pieces = []; // complete
    private readonly Stack<byte[]> _own = new();              // filled, and filled again after Clear; bound: SparesMax
    private readonly Stack<byte[]> _spares = new();           // bound: SparesMax
    private byte[] _chunk = new byte[4 * 1024];
    private int _from;
    private int _used;

    public long Length { get; private set; }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        Length += bytes.Length;
        while (bytes.Length > 0)
        {
            if (_used == _chunk.Length)
            {
                Turn();
            }

            int part = Math.Min(bytes.Length, _chunk.Length - _used);
            bytes[..part].CopyTo(_chunk.AsSpan(_used));
            _used += part;
            bytes = bytes[part..];
        }
    }

    /// <summary>Adds what another holds, without copying it: the other is not written to any more.</summary>
    public void Share(ChunkedBytes other)
    {
        Complete();
        _pieces.AddRange(other.Pieces());
        Length += other.Length;
    }

    /// <summary>All of it, in order, until <see cref="Clear"/>.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Pieces()
    {
        Complete();
        return _pieces;
    }

    public void Clear()
    {
        _pieces.Clear();
        while (_own.TryPop(out byte[]? chunk))
        {
            _spares.Push(chunk);
        }

        (Length, _from, _used) = (0, 0, 0);
    }

    private void Complete()
    {
        if (_used > _from)
        {
            _pieces.Add(_chunk.AsMemory(_from, _used - _from));
            _from = _used;
        }
    }

    private void Turn()
    {
        Complete();
        if (_own.Count + _spares.Count < SparesMax && _chunk.Length == ChunkBytes)
        {
            _own.Push(_chunk);
        }

        _chunk = _spares.TryPop(out byte[]? spare) ? spare : new byte[ChunkBytes];
        (_from, _used) = (0, 0);
    }
}
