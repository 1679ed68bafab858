using Bft.Crypto;
using Bft.Protocol.Bodies;
using Bft.Protocol.Receipts;
using Bft.Protocol.Receiving;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using FsCheck;
using FsCheck.Fluent;

namespace Bft.Protocol.Tests.Verification;

/// <summary>Whatever a peer sends, nothing throws.</summary>
public sealed class HostileBytesTests : IDisposable
{
    private readonly TestCluster _cluster = new();

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void Mutated_encodings_never_throw()
    {
        VerifiedBatch[] batches = _cluster.Stream().AppendMany(3);
        VerifiedCertificate certificate = _cluster.Certify(batches[2].Reference, 0);
        Assert.True(CertifiedRange.TryVerify(_cluster.Batches, certificate, [.. batches.Select(batch => SignedStatement.From(batch.Statement))], out CertifiedRange? range, out _));
        Cursor cursor = new(batches[0].Statement.Statement.Header.Topic);
        cursor.Advance(batches[2].Reference);
        byte[][] encodings =
        [
            batches[1].Statement.Statement.Bytes.ToArray(),
            certificate.Certificate.Bytes.ToArray(),
            _cluster.Bundle(1, [.. batches.Select(batch => new AckStatement(batch.Reference, batch.Sequence))]).Encode(),
            new PublisherEquivocation(SignedStatement.From(batches[0].Statement), SignedStatement.From(batches[1].Statement)).Encode(),
            Receipt.Create(batches[1], range, _cluster.Committee.Limits).Encode(),
            cursor.Encode(),
            batches[0].Body.ToArray(),
            [],
        ];
        Gen<byte[]> mutated =
            from encoding in Gen.Elements(encodings)
            from cut in Gen.Choose(0, encoding.Length)
            from edits in Gen.ArrayOf(Gen.Zip(Gen.Choose(0, Math.Max(0, encoding.Length - 1)), Gen.Elements<byte>(0, 1, 0x7f, 0x80, 0xfe, 0xff)))
            from isCut in Gen.Elements(true, false, false, false)
            select Mutate(isCut ? encoding[..cut] : encoding, edits);

        Prop.ForAll(mutated.ToArbitrary(), ReadAsEverything).Check(Config.QuickThrowOnFailure.WithMaxTest(3000));
    }

    private static byte[] Mutate(byte[] bytes, (int Index, byte Value)[] edits)
    {
        byte[] copy = [.. bytes];
        foreach ((int index, byte value) in edits.Where(edit => edit.Index < copy.Length))
        {
            copy[index] = value;
        }

        return copy;
    }

    private void ReadAsEverything(byte[] bytes)
    {
        EvidenceVerifier evidence = new(_cluster.Committee, Ed25519.Instance);
        ReceiptVerifier receipts = new(_cluster.Committee, Ed25519.Instance);
        _cluster.Batches.TryVerifyStatement(bytes, default, out _, out _);
        _cluster.Batches.TryVerifyCovered(bytes, default, Sha256.Hash(bytes), out _, out _);
        _cluster.Acks.TryVerifyCertificate(bytes, out _, out _);
        if (AckBundle.TryParse(_cluster.Committee.Cluster, bytes, out AckBundle? bundle))
        {
            _cluster.Acks.TryVerify(bundle, out _, out _);
        }

        evidence.TryVerify(bytes, out _, out _);
        receipts.TryVerify(bytes, out _, out _);
        if (Cursor.TryParse(bytes, out Cursor? cursor))
        {
            Assert.Equal(bytes, cursor.Encode());
        }

        if (ChunkTable.TryRead(bytes, 1, bytes.Length, out ChunkTable? table))
        {
            Assert.NotEmpty(table.Entries);
        }

        Assert.Equal(2, DecodedBody.Read(new BodyDescription(default, 2, 2, bytes.Length, BodyEncoding.Identity), bytes, bytes.Length).Length);
    }
}
