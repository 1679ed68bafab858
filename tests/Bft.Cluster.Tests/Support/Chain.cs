using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Cluster.Tests.Support;

/// <summary>Signs batches of one stream, honest or not.</summary>
internal sealed record Chain(ClusterId Cluster, Ed25519Signer Signer, Topic Topic)
{
    public Incarnation Incarnation { get; init; } = new((ulong)DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), (ulong)Random.Shared.NextInt64());

    /// <summary>What the signer builds bodies by.</summary>
    public ClusterLimits Limits { get; init; } = ClusterLimits.Default;

    public StreamHeader Header => new(Cluster, Signer.PublicKey, Topic, Incarnation);

    /// <summary>On top of a batch that nobody has.</summary>
    public SignedBatch Batch(ulong sequence, params IEnumerable<byte[]> messages) =>
        Batch(sequence, sequence == 0 ? Ancestor.None : Ancestor.Previous(Sha256.Hash("some batch"u8)), messages);

    public SignedBatch Batch(ulong sequence, Ancestor ancestor, params IEnumerable<byte[]> messages)
    {
        BodyBuilder builder = new(Limits);
        Assert.All(messages, message => Assert.True(builder.TryAdd(new Message(message))));
        byte[] body = new byte[builder.BodyLength];
        BatchStatement statement = BatchStatement.Create(Header, new Sequence(sequence), ancestor, builder.Build(body));
        return new SignedBatch(statement.Bytes, Signer.Sign(statement.Bytes.Span), body);
    }
}
