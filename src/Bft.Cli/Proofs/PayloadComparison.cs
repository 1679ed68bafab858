namespace Bft.Cli.Proofs;

/// <summary>Compares payloads, in order, with the bytes of one file.</summary>
internal sealed class PayloadComparison(string path) : IDisposable
{
    private readonly FileStream _file = File.OpenRead(path);
    private readonly byte[] _buffer = new byte[64 * 1024];
    private long _compared;

    /// <exception cref="CommandException">The file says something else there.</exception>
    public void Append(ReadOnlySpan<byte> payload)
    {
        while (!payload.IsEmpty)
        {
            Span<byte> expected = _buffer.AsSpan(0, Math.Min(_buffer.Length, payload.Length));
            int read = _file.ReadAtLeast(expected, expected.Length, throwOnEndOfStream: false);
            int same = payload.CommonPrefixLength(expected[..read]);
            _compared += same;
            if (same < expected.Length)
            {
                throw new CommandException(
                    ExitCode.Invalid,
                    read < expected.Length && same == read
                        ? $"the receipts hold, but {path} ends after {_compared} bytes and they prove more."
                        : $"the receipts hold, but they prove other bytes than {path} has: they differ first at byte {_compared}.");
            }

            payload = payload[same..];
        }
    }

    /// <exception cref="CommandException">The file goes on.</exception>
    public void Complete()
    {
        if (_file.ReadByte() >= 0)
        {
            throw new CommandException(ExitCode.Invalid, $"the receipts hold, but they prove the first {_compared} bytes of {path} only, which has {_file.Length}.");
        }
    }

    public void Dispose() => _file.Dispose();
}
