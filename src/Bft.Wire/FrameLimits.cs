using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Protocol.Verification;

namespace Bft.Wire;

/// <summary>Limits of the frames, the same for every cluster. A frame beyond one is malformed. They bound what a reader allocates.</summary>
public static class FrameLimits
{
    private const int KiB = 1024;

    /// <summary>Longest text for people; a longer one is cut when it is sent. Unit: bytes of UTF-8.</summary>
    public const int TextBytesMax = 512;

    /// <summary>Shortest batch statement: with a topic of one byte. Unit: bytes.</summary>
    public const int StatementBytesMin = BatchStatement.FixedLength + 1;

    /// <summary>Most statements with one certificate: the widest window that a cluster may have.</summary>
    public const int StatementsMax = 4 * KiB;

    /// <summary>Most originals of live incarnations in one refusal.</summary>
    public const int RefusalLiveMax = 256;

    /// <summary>Most originals in one answer to an inquiry: some live incarnations with a whole window each.</summary>
    public const int StandingOriginalsMax = 4 * KiB;

    /// <summary>Most certificates in one answer to an inquiry.</summary>
    public const int StandingCertificatesMax = 64;

    /// <summary>Most cursors of one subscription.</summary>
    public const int CursorsMax = 64 * KiB;

    /// <summary>Most streams in one status.</summary>
    public const int StatusStreamsMax = 4 * KiB;

    /// <summary>Most peers in one status.</summary>
    public const int StatusPeersMax = CommitteeSize.Max;

    /// <summary>Shortest certificate that is looked at: its fixed part. Unit: bytes.</summary>
    internal const int CertificateBytesMin = 78;

    /// <summary>Largest ack bundle: <see cref="FormatLimits.AckLeavesMax"/> leaves with the longest path. Unit: bytes.</summary>
    internal const int AckBundleBytesMax = 125 + (FormatLimits.AckLeavesMax * (85 + (FormatLimits.AckPathMax * 32)));

    /// <summary>
    /// The largest message that a party of this cluster needs to take: a whole body, or the largest evidence, and 64 KiB for the rest (all other frames are smaller). Unit: bytes.
    /// The transport refuses more before it allocates.
    /// </summary>
    public static int MessageBytesMax(ClusterLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        return Math.Max(limits.BatchBytesMax, Evidence.LengthMax) + (64 * KiB);
    }
}
