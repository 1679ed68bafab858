using System.Buffers;
using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Verification;

namespace Bft.Wire.Encoding;

/// <summary>The fields that several frames share: signed statements, certificates and ack bundles.</summary>
internal static class StatementFields
{
    /// <summary>Tags and lengths of the two fields, the shortest statement and a signature.</summary>
    private const int SignedStatementBytesMin = 2 + FrameLimits.StatementBytesMin + 2 + Signature.Length;

    public static void Write(ref FieldWriter writer, int field, IReadOnlyList<SignedStatement> statements)
    {
        for (int i = 0; i < statements.Count; i++)
        {
            writer.Message(field, new Content(statements[i]));
        }
    }

    public static bool TryStatements(this in ReadOnlySequence<byte> message, int field, int countMax, out SignedStatement[] statements) =>
        message.TryList(field, countMax, SignedStatementBytesMin, TryStatement, out statements);

    public static bool TryCertificate(this in ReadOnlySequence<byte> bytes, out ReadOnlyMemory<byte> certificate) =>
        bytes.TryOpaque(FrameLimits.CertificateBytesMin, QuorumCertificate.LengthMax, out certificate);

    public static bool TryOptionalCertificate(this in ReadOnlySequence<byte> bytes, out ReadOnlyMemory<byte> certificate) =>
        bytes.TryOptional(FrameLimits.CertificateBytesMin, QuorumCertificate.LengthMax, out certificate);

    public static bool TryAckBundle(this in ReadOnlySequence<byte> bytes, out ReadOnlyMemory<byte> bundle) =>
        bytes.TryOpaque(1, FrameLimits.AckBundleBytesMax, out bundle);

    public static bool TryOptionalAckBundle(this in ReadOnlySequence<byte> bytes, out ReadOnlyMemory<byte> bundle) =>
        bytes.TryOptional(1, FrameLimits.AckBundleBytesMax, out bundle);

    private static bool TryStatement(in ReadOnlySequence<byte> bytes, out SignedStatement value)
    {
        ReadOnlySequence<byte> statement = default, signature = default;
        FieldReader reader = new(bytes);
        while (reader.Next())
        {
            _ = reader.Bytes(1, ref statement) || reader.Bytes(2, ref signature);
        }

        bool read = reader.IsWhole
            & statement.TryOpaque(FrameLimits.StatementBytesMin, FormatLimits.BatchStatementBytesMax, out ReadOnlyMemory<byte> copy)
            & signature.TrySignature(out Signature signed);
        value = read ? new SignedStatement(copy, signed) : null!;
        return read;
    }

    private readonly struct Content(SignedStatement statement) : IContent
    {
        public void Write(ref FieldWriter writer)
        {
            writer.Bytes(1, statement.Bytes.Span);
            writer.Signature(2, statement.Signature);
        }
    }
}
