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
        if (rest is 0 or > Receipt.LengthMax - Receipt.PrefixLength)
        {
            throw NoReceipt();
        }

        int length = Receipt.PrefixLength + (int)rest;
        if (!TryFill(length) || !Receipt.TryParse(_buffer.AsMemory(0, length), out Receipt? receipt, out _))
        {
            throw NoReceipt();
        }

        _position += length;
        Count++;
        return receipt;
    }

    /// <summary>The buffer grows with what is there, not with what a length promises.</summary>
    private bool TryFill(int length)
    {
        for (int filled = Receipt.PrefixLength; filled < length;)
        {
            if (filled == _buffer.Length)
            {
                Array.Resize(ref _buffer, Math.Min(length, 2 * filled));
            }

            int wanted = Math.Min(length, _buffer.Length) - filled;
            if (file.ReadAtLeast(_buffer.AsSpan(filled, wanted), wanted, throwOnEndOfStream: false) != wanted)
            {
                return false;
            }

            filled += wanted;
        }

        return true;
    }

    private CommandException NoReceipt() => new(
        ExitCode.Invalid,
        Count == 0
            ? "the file holds neither a receipt nor evidence, or it is damaged."
            : $"after {Count} receipts, at byte {Offset}, the file holds no receipt: it was cut or damaged.");
}
