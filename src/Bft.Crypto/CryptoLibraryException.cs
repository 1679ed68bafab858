namespace Bft.Crypto;

/// <summary>The native library is missing, or is not one whose verdicts this project may rest on. The message tells the operator what to do.</summary>
public sealed class CryptoLibraryException : Exception
{
    public CryptoLibraryException(string message)
        : base(message)
    {
    }
}
