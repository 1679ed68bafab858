using System.Buffers;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Encoding;

namespace Bft.Wire.Frames;

/// <summary>Asks what the witness holds of my live incarnations in a topic; before the first signature of a start (P7).</summary>
public sealed record InquiryFrame(Topic Topic) : IPublishRequest
{
    FrameKind IFrame.Kind => FrameKind.Inquiry;

    void IFrame.Write(ref FieldWriter writer) => writer.Text(1, Topic.Name);

    internal static InquiryFrame? Read(in ReadOnlySequence<byte> bytes)
    {
        ReadOnlySequence<byte> topic = default;
        FieldReader reader = new(bytes);
        while (reader.Next())
        {
            _ = reader.Bytes(1, ref topic);
        }

        return reader.IsWhole && topic.TryTopic(out Topic value) ? new InquiryFrame(value) : null;
    }
}

/// <summary>Answers an inquiry (P7); it counts by its proof.</summary>
/// <param name="Topic">The one asked about.</param>
/// <param name="Certificates">The bytes of certificates of the publisher's streams there.</param>
/// <param name="Originals">The publisher's, from the certificates' own batches up: by stream, then ascending, each chain back to a covered slot or to 0.</param>
public sealed record StandingFrame(Topic Topic, IReadOnlyList<ReadOnlyMemory<byte>> Certificates, IReadOnlyList<SignedStatement> Originals) : IPublishReply
{
    FrameKind IFrame.Kind => FrameKind.Standing;

    void IFrame.Write(ref FieldWriter writer)
    {
        writer.Text(1, Topic.Name);
        for (int i = 0; i < Certificates.Count; i++)
        {
            writer.Element(2, Certificates[i].Span);
        }

        StatementFields.Write(ref writer, 3, Originals);
    }

    internal static StandingFrame? Read(in ReadOnlySequence<byte> bytes)
    {
        ReadOnlySequence<byte> topic = default;
        FieldReader reader = new(bytes);
        while (reader.Next())
        {
            _ = reader.Bytes(1, ref topic);
        }

        return reader.IsWhole
            && topic.TryTopic(out Topic value)
            && bytes.TryList(2, FrameLimits.StandingCertificatesMax, FrameLimits.CertificateBytesMin, StatementFields.TryCertificate, out ReadOnlyMemory<byte>[] certificates)
            && bytes.TryStatements(3, FrameLimits.StandingOriginalsMax, out SignedStatement[] originals)
            ? new StandingFrame(value, certificates, originals)
            : null;
    }
}
