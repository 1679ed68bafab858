using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Storage;

/// <summary>A stored tip in memory: which batch it is. Its certificate is read from the journal when it is asked for, but for those that rose last.</summary>
/// <param name="sequence">The slot.</param>
/// <param name="digest">The batch's.</param>
/// <param name="isSigned">W11: its statement is stored, and the publisher's signature under it was verified.</param>
/// <param name="certificate">Null when it is to be read.</param>
internal sealed class StreamTip(Sequence sequence, Digest digest, bool isSigned, VerifiedCertificate? certificate)
{
    private volatile VerifiedCertificate? _certificate = certificate;

    public Sequence Sequence => sequence;

    public Digest Digest => digest;

    public bool IsSigned => isSigned;

    public VerifiedCertificate? Certificate => _certificate;

    /// <summary>It rose long ago: the journal has it.</summary>
    public void Forget() => _certificate = null;
}
