using System.Text;
using Bft.Crypto;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;
using Bft.Protocol.Receipts;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Tests.Receipts;

public sealed class ReceiptTests : IDisposable
{
    private readonly TestCluster _cluster = new();
    private readonly ReceiptVerifier _verifier;

    public ReceiptTests() => _verifier = new ReceiptVerifier(_cluster.Committee, Ed25519.Instance);

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void One_message_is_proven_without_the_rest_of_its_batch()
    {
        VerifiedBatch batch = Batch(messages: 200, bytesEach: 1000);
        byte[] receipt = Receipt.Create(batch, RangeOf(batch), _cluster.Committee.Limits, 150).Encode();

        Assert.True(_verifier.TryVerify(receipt, out VerifiedReceipt? verified, out _));
        ProvenMessage message = Assert.Single(verified.Messages);
        Assert.Equal(150, message.Position);
        Assert.Equal(Payload(150, 1000), message.Content.Message.Payload.ToArray());
        Assert.Equal(batch.Reference, verified.Statement.Reference);
        Assert.True(verified.Statement.IsSigned);
        Assert.Equal(batch.Statement.Statement.Header, verified.Header);
        Assert.True(receipt.Length < 2 * FormatLimits.ChunkBytesTarget, "a chunk, a table and a certificate");
    }

    [Fact]
    public void All_messages_of_a_batch_cost_about_the_batch()
    {
        VerifiedBatch batch = Batch(messages: 2000, bytesEach: 1000);
        byte[] receipt = Receipt.Create(batch, RangeOf(batch), _cluster.Committee.Limits).Encode();

        Assert.True(_verifier.TryVerify(receipt, out VerifiedReceipt? verified, out _));
        Assert.Equal(Enumerable.Range(0, 2000), verified.Messages.Select(message => message.Position));
        Assert.All(verified.Messages, message => Assert.Equal(Payload(message.Position, 1000), message.Content.Message.Payload.ToArray()));
        Assert.InRange(receipt.Length, batch.Body.Length, batch.Body.Length * 105L / 100);
    }

    [Fact]
    public void A_later_certificate_proves_it_over_the_statements_between()
    {
        VerifiedBatch[] batches = _cluster.Stream().AppendMany(5);
        CertifiedRange range = Range(_cluster.Certify(batches[4].Reference, from: 1), batches[1..]);

        Receipt receipt = Receipt.Create(batches[2], range, _cluster.Committee.Limits, 0);

        Assert.Equal(2, receipt.Chain.Count);
        Assert.True(_verifier.TryVerify(receipt.Encode(), out VerifiedReceipt? verified, out _));
        Assert.Equal(new Sequence(2), verified.Sequence);
        Assert.Throws<ArgumentException>(() => Receipt.Create(batches[0], range, _cluster.Committee.Limits, 0));
        Assert.Throws<ArgumentException>(() => Receipt.Create(batches[2], range, _cluster.Committee.Limits, 1));

        // Slot 0 lies below every ack's base: an ancestor is not covered for being one.
        Receipt below = receipt with { Statement = SignedStatement.From(batches[0].Statement), Chain = [.. receipt.Chain, batches[2].Statement.Statement.Bytes, batches[1].Statement.Statement.Bytes] };
        Assert.False(_verifier.TryVerify(below, out _, out RejectReason reason));
        Assert.Equal(RejectReason.OtherSlot, reason);
        Assert.False(_verifier.TryVerify(receipt with { Chain = receipt.Chain.Reverse().ToArray() }, out _, out _));
        Assert.False(_verifier.TryVerify(receipt with { Chain = [] }, out _, out _));
    }

    [Fact]
    public void Many_stand_in_one_file()
    {
        VerifiedBatch batch = Batch(messages: 3, bytesEach: 10);
        ReadOnlyMemory<byte> file = Enumerable.Range(0, 3).SelectMany(position => Receipt.Create(batch, RangeOf(batch), _cluster.Committee.Limits, position).Encode()).ToArray();

        for (int position = 0; position < 3; position++)
        {
            Assert.True(Receipt.TryParse(file, out Receipt? receipt, out int length));
            Assert.True(_verifier.TryVerify(receipt, out VerifiedReceipt? verified, out _));
            Assert.Single(verified.Messages);
            Assert.Equal(position, verified.Messages[0].Position);
            file = file[length..];
        }

        Assert.True(file.IsEmpty);
    }

    [Fact]
    public void Another_cluster_s_receipt_proves_nothing()
    {
        VerifiedBatch batch = Batch(messages: 1, bytesEach: 10);
        byte[] receipt = Receipt.Create(batch, RangeOf(batch), _cluster.Committee.Limits).Encode();
        using TestCluster other = new(name: "other");

        Assert.False(new ReceiptVerifier(other.Committee, Ed25519.Instance).TryVerify(receipt, out _, out _));
    }

    [Fact]
    public void A_garbled_publisher_signature_leaves_the_quorum_s_proof()
    {
        VerifiedBatch batch = Batch(messages: 1, bytesEach: 10);
        Receipt receipt = Receipt.Create(batch, RangeOf(batch), _cluster.Committee.Limits);

        Assert.True(_verifier.TryVerify(receipt with { Statement = receipt.Statement with { Signature = default } }, out VerifiedReceipt? verified, out _));
        Assert.False(verified.Statement.IsSigned);
    }

    [Fact]
    public void Every_changed_byte_is_refused()
    {
        VerifiedBatch batch = Batch(messages: 3, bytesEach: 10);
        byte[] receipt = Receipt.Create(batch, RangeOf(batch), _cluster.Committee.Limits, 1).Encode();
        int signature = Receipt.PrefixLength + 1 + 2 + batch.Statement.Statement.Bytes.Length;
        int position = receipt.Length - 4;

        for (int i = 0; i < receipt.Length; i++)
        {
            byte[] changed = [.. receipt];
            changed[i] ^= 1;
            bool accepted = _verifier.TryVerify(changed, out VerifiedReceipt? verified, out _);
            if (i >= signature && i < signature + Signature.Length)
            {
                Assert.True(accepted && !verified!.Statement.IsSigned, $"byte {i}");
            }
            else if (i == position)
            {
                // Asks for the neighbour, which the chunk proves as well.
                Assert.Equal(0, verified!.Messages[0].Position);
            }
            else
            {
                Assert.False(accepted, $"byte {i}");
            }
        }
    }

    [Fact]
    public void Truncated_bytes_are_refused()
    {
        VerifiedBatch batch = Batch(messages: 2, bytesEach: 10);
        byte[] receipt = Receipt.Create(batch, RangeOf(batch), _cluster.Committee.Limits).Encode();

        for (int length = 0; length < receipt.Length; length++)
        {
            Assert.False(_verifier.TryVerify(receipt.AsMemory(0, length), out _, out _));
        }
    }

    [Fact]
    public void Chunks_and_positions_that_do_not_belong_are_refused()
    {
        VerifiedBatch batch = Batch(messages: 100, bytesEach: 1000);
        Receipt receipt = Receipt.Create(batch, RangeOf(batch), _cluster.Committee.Limits);
        ReceiptChunk first = receipt.Chunks[0];

        foreach (Receipt bad in new[]
        {
            receipt with { Chunks = [] },
            receipt with { Chunks = [first, first] },
            receipt with { Chunks = [receipt.Chunks[1], first] },
            receipt with { Chunks = [first with { Index = 2 }] },
            receipt with { Chunks = [first with { Index = 1000 }] },
            receipt with { Chunks = [receipt.Table] },
            receipt with { Table = first },
            receipt with { Chunks = [first], Positions = [99] },
            receipt with { Positions = [100] },
        })
        {
            Assert.False(_verifier.TryVerify(bad, out _, out _));
        }
    }

    private static byte[] Payload(int position, int length) => [.. Encoding.UTF8.GetBytes($"{position:000000}"), .. Enumerable.Repeat(unchecked((byte)position), length - 6)];

    private VerifiedBatch Batch(int messages, int bytesEach)
    {
        TestStream stream = _cluster.Stream();
        (BodyDescription description, byte[] body) = TestStream.Body(
            _cluster.Committee.Limits, [.. Enumerable.Range(0, messages).Select(position => new Message(Payload(position, bytesEach)))]);
        return BatchVerifier.Sign(BatchStatement.Create(stream.Header, Sequence.Zero, Ancestor.None, description), stream.Signer, body, null);
    }

    private CertifiedRange RangeOf(VerifiedBatch batch) => Range(_cluster.Certify(batch.Reference), batch);

    private CertifiedRange Range(VerifiedCertificate certificate, params VerifiedBatch[] batches)
    {
        Assert.True(CertifiedRange.TryVerify(_cluster.Batches, certificate, [.. batches.Select(batch => SignedStatement.From(batch.Statement))], out CertifiedRange? range, out _));
        return range;
    }
}
