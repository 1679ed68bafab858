using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Wire.Tests.Frames;

public class RefusalFrameTests
{
    private static readonly ClusterId Cluster = new(new Crypto.Digest(Sample.Bytes(32, 1)));
    private static readonly BatchRef Batch = new(default, new Sequence(5), default);

    [Fact]
    public void P6_a_refusal_arrives_with_what_it_shows()
    {
        AckBundle acks = new(new AckRootStatement(Cluster, Epoch.Zero, new WitnessIndex(2), new Run(1), new Mark(1), 1, default), default, [new AckLeaf(new AckStatement(Batch, Sequence.Zero), 0, [])]);
        QuorumCertificate certificate = new(Batch, Epoch.Zero, [new CertificateEntry(new WitnessIndex(1), Sequence.Zero, 0, [], new Run(1), new Mark(1), 1, default)]);
        SignedStatement original = new(new byte[209], default);
        Refusal sent = new(Batch.Slot, RefusalReason.Conflict, original, acks, certificate, "taken") { Live = [original] };

        Assert.True(RefusalFrame.From(sent).TryParse(Cluster, out Refusal? received));
        Assert.Equal(sent.Slot, received.Slot);
        Assert.Equal(RefusalReason.Conflict, received.Reason);
        Assert.Equal(original, received.Original);
        Assert.Equal(acks.Encode(), received.Acks!.Encode());
        Assert.Equal(Cluster, received.Acks.Root.Cluster);
        Assert.Equal(certificate.Bytes.ToArray(), received.Certificate!.Bytes.ToArray());
        Assert.Equal("taken", received.Text);
        Assert.Equal([original], received.Live);
    }

    [Fact]
    public void P6_a_refusal_that_shows_nothing_is_one_too()
    {
        Assert.True(RefusalFrame.From(new Refusal(Batch.Slot, RefusalReason.ShuttingDown)).TryParse(Cluster, out Refusal? received));
        Assert.Null(received.Original);
        Assert.Null(received.Acks);
        Assert.Null(received.Certificate);
    }

    [Fact]
    public void A_refusal_with_bytes_that_are_no_proof_is_none()
    {
        Assert.False(new RefusalFrame(Batch.Slot, RefusalReason.Conflict) { Acks = new byte[300] }.TryParse(Cluster, out _));
        Assert.False(new RefusalFrame(Batch.Slot, RefusalReason.Conflict) { Certificate = new byte[300] }.TryParse(Cluster, out _));
    }
}
