using Bft.Protocol.Receipts;

namespace Bft.Client;

/// <summary>Receipts in files: one after the other, each proven offline by <see cref="ReceiptVerifier"/>.</summary>
public static class ReceiptFile
{
    /// <summary>Writes receipts behind those that the file holds already.</summary>
    public static async Task AppendAsync(string path, IEnumerable<Receipt> receipts, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(receipts);
        FileStream file = new(path, FileMode.Append, FileAccess.Write);
        await using (file.ConfigureAwait(false))
        {
            foreach (Receipt receipt in receipts)
            {
                await file.WriteAsync(receipt.Encode(), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Reads all receipts of a file; verifies nothing.</summary>
    /// <exception cref="InvalidDataException">The file holds something else.</exception>
    public static async Task<IReadOnlyList<Receipt>> LoadAsync(string path, CancellationToken cancellationToken = default)
    {
        ReadOnlyMemory<byte> bytes = await File.ReadAllBytesAsync(path, cancellationToken).ConfigureAwait(false);
        List<Receipt> receipts = [];
        while (!bytes.IsEmpty)
        {
            if (!Receipt.TryParse(bytes, out Receipt? receipt, out int length))
            {
                throw new InvalidDataException($"{path}: receipt {receipts.Count + 1} is not one, or is cut short.");
            }

            receipts.Add(receipt);
            bytes = bytes[length..];
        }

        return receipts;
    }
}
