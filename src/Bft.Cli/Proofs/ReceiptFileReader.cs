using System.Buffers.Binary;
using Bft.Protocol.Receipts;

namespace Bft.Cli.Proofs;

/// <summary>Reads a receipt file: receipts one after the other, each of which begins with its length. Holds one of them at a time.</summary>
internal sealed class ReceiptFileReader(Stream file)
{
    private byte[] _buffer = new byte[64 * 1024];

    /// <summary>Receipts read.</summary>
    public int Count { get; private set; }

    /// <summary>Where the last receipt began. Unit: bytes.</summary>
    public long Offset { get; private set; }

    private long _position;

    /// <summary>The next receipt, valid until the next call; null at the end of the file.</summary>
    /// <exception cref="CommandException">What stands there is no receipt.</exception>
    public Receipt? Next()
    {
        Offset = _position;
        int read = file.ReadAtLeast(_buffer.AsSpan(0, Receipt.PrefixLength), Receipt.PrefixLength, throwOnEndOfStream: false);
        if (read == 0)
        {
            return null;
        }

        uint rest = read == Receipt.PrefixLength ? BinaryPrimitives.ReadUInt32LittleEndian(_buffer) : 0;
        if (rest is 0 or > Receipt.LengthMax - Receipt.PrefixLength || (file.CanSeek && rest > file.Length - file.Position))
        {
            // Nothing is allocated for a length that the file does not have.
            throw NoReceipt();
        }

        int length = Receipt.PrefixLength + (int)rest;
        if (_buffer.Length < length)
        {
            Array.Resize(ref _buffer, length);
        }

        if (file.ReadAtLeast(_buffer.AsSpan(Receipt.PrefixLength, (int)rest), (int)rest, throwOnEndOfStream: false) != rest
            || !Receipt.TryParse(_buffer.AsMemory(0, length), out Receipt? receipt, out _))
        {
            throw NoReceipt();
        }

        _position += length;
        Count++;
        return receipt;
    }

    private CommandException NoReceipt() => new(
        ExitCode.Invalid,
        Count == 0
            ? "the file holds neither a receipt nor evidence, or it is damaged."
            : $"after {Count} receipts, at byte {Offset}, the file holds no receipt: it was cut or damaged.");
}
