namespace Bft.Cli.Publishing;

/// <summary>Cuts a stream of bytes into lines, each with its line feed; the last one may lack it. Bytes, not text: nothing is decoded or changed.</summary>
/// <remarks>One buffer, no allocation per line. A line refers to that buffer until the next <see cref="FillAsync"/>.</remarks>
/// <param name="input">Where from.</param>
/// <param name="lineBytesMax">A longer line is not waited for. Unit: bytes.</param>
internal sealed class LineReader(Stream input, int lineBytesMax)
{
    private const int ReadBytes = 256 * 1024;

    private byte[] _buffer = new byte[2 * ReadBytes];
    private int _start;
    private int _scanned;
    private int _end;
    private bool _isAtEnd;

    /// <summary>Number of the last line that <see cref="TryNext"/> gave, from 1; 0 before.</summary>
    public long Number { get; private set; }

    /// <summary>The line after <see cref="Number"/> is longer than may be.</summary>
    public bool IsTooLong => _end - _start > lineBytesMax && _scanned == _end;

    /// <summary>The next line that is in the buffer.</summary>
    public bool TryNext(out ReadOnlyMemory<byte> line)
    {
        int feed = _buffer.AsSpan(_scanned, _end - _scanned).IndexOf((byte)'\n');
        int end = feed >= 0 ? _scanned + feed + 1 : _end;
        _scanned = end;
        if (feed < 0 && !(_isAtEnd && end > _start))
        {
            line = default;
            return false;
        }

        line = _buffer.AsMemory(_start, end - _start);
        _start = end;
        Number++;
        return true;
    }

    /// <summary>Reads on. Lines given before are gone.</summary>
    /// <returns>False at the end of the input, once <see cref="TryNext"/> has given the last line.</returns>
    public async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_isAtEnd)
        {
            return false;
        }

        MakeRoom();

        // Reading a terminal or a pipe cannot be cancelled, only left alone.
        ValueTask<int> reading = input.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
        int read = reading.IsCompletedSuccessfully ? reading.Result : await reading.AsTask().WaitAsync(cancellationToken);
        _end += read;
        _isAtEnd = read == 0;
        return !_isAtEnd || _end > _start;
    }

    private void MakeRoom()
    {
        if (_buffer.Length - _end >= ReadBytes)
        {
            return;
        }

        int kept = _end - _start;
        byte[] target = _buffer.Length - kept >= ReadBytes ? _buffer : new byte[2 * _buffer.Length];
        _buffer.AsSpan(_start, kept).CopyTo(target);
        _buffer = target;
        _scanned -= _start;
        _end = kept;
        _start = 0;
    }
}
