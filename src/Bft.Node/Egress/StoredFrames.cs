using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Storage;
using Bft.Wire;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>Frames from the store: the same bytes for subscribers, for those who fetch, and for publishers that ask again.</summary>
internal static class StoredFrames
{
    /// <summary>A range's certificate and its statements down to the first slot asked for (S1).</summary>
    public static CertifiedFrame Certified(StreamLog log, StoredRange range)
    {
        SignedStatement[] statements = new SignedStatement[checked((int)(range.To.Value - range.From.Value + 1))];
        for (int i = 0; i < statements.Length; i++)
        {
            statements[i] = log.ReadStatement(new Sequence(range.From.Value + (ulong)i));
        }

        return new CertifiedFrame(log.ReadCertificate(range), statements);
    }

    /// <summary>S2: the lower end of what is kept, with its proof.</summary>
    public static FloorFrame Floor(StreamLog log, Sequence floor) => new(new Slot(log.Header.Id, floor), log.ReadFloorCertificate(floor));

    /// <summary>W6: a batch that is durable here, stored or above the stored tip; null when it is not. Its body is in pooled memory.</summary>
    public static BatchFrame? Batch(StreamLog log, Sequence sequence, Digest digest)
    {
        if (log.FindAboveTip(sequence, digest) is { } recorded)
        {
            PooledBuffer body = PooledBuffer.Rent(recorded.Body.Length);
            return log.TryRead(recorded.Body, body.Memory.Span) ? Batch(SignedStatement.From(recorded.Statement), body) : null;
        }

        if (sequence < log.Floor || sequence >= log.End)
        {
            return null;
        }

        SignedStatement statement = log.ReadStatement(sequence);
        return Sha256.Hash(statement.Bytes.Span) == digest ? Batch(statement, (PooledBuffer)Body(log, sequence).BodyOwner!) : null;
    }

    /// <summary>A body in pooled memory; dispose its owner when it is written.</summary>
    public static BodyFrame Body(StreamLog log, Sequence sequence)
    {
        PooledBuffer body = PooledBuffer.Rent(log.BodyLength(sequence));
        try
        {
            log.ReadBody(sequence, body.Memory.Span);
            return new BodyFrame(new Slot(log.Header.Id, sequence), body.Memory, body);
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    private static BatchFrame Batch(SignedStatement statement, PooledBuffer body) => new(new SignedBatch(statement.Bytes, statement.Signature, body.Memory, body));
}
