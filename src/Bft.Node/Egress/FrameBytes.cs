using Bft.Protocol.Model;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>What frames count for in an outbox. Unit: bytes.</summary>
internal static class FrameBytes
{
    public const int Overhead = 256;

    public static int Of(Refusal refusal) => Overhead + (refusal.Original?.Bytes.Length ?? 0) + (refusal.Certificate?.Bytes.Length ?? 0)
        + (2 * refusal.Text.Length) + refusal.Live.Sum(statement => Overhead + statement.Bytes.Length);

    public static int Of(StandingFrame frame) => Overhead + frame.Certificates.Sum(certificate => certificate.Length)
        + frame.Originals.Sum(statement => Overhead + statement.Bytes.Length);

    public static int Of(CertifiedFrame frame) => Overhead + frame.Certificate.Length + frame.Statements.Sum(statement => Overhead + statement.Bytes.Length);
}
