using System.Security.Cryptography;

namespace Bft.Storage;

/// <summary>Secret bytes that are zeroed on dispose, and never moved by the garbage collector, which would leave copies behind.</summary>
public sealed class SecretBytes : IDisposable
{
    private readonly byte[] _bytes;
    private bool _isDisposed;

    public SecretBytes(int length) => _bytes = GC.AllocateArray<byte>(length, pinned: true);

    /// <value>The secret; do not keep copies.</value>
    /// <exception cref="ObjectDisposedException">It is gone.</exception>
    public Span<byte> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return _bytes;
        }
    }

    public int Length => _bytes.Length;

    public void Dispose()
    {
        _isDisposed = true;
        CryptographicOperations.ZeroMemory(_bytes);
    }
}
