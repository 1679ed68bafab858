using Bft.Crypto;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Model;

/// <summary>What a stream's id is the digest of, the cluster apart.</summary>
public sealed record StreamHeader
{
    public StreamHeader(ClusterId cluster, PublicKey publisher, Topic topic, Incarnation incarnation)
    {
        Cluster = cluster;
        Publisher = publisher;
        Topic = topic;
        Incarnation = incarnation;
        Id = IdOf();
    }

    public ClusterId Cluster { get; }

    public PublicKey Publisher { get; }

    public Topic Topic { get; }

    public Incarnation Incarnation { get; }

    public StreamId Id { get; }

    private StreamId IdOf()
    {
        Span<byte> bytes = stackalloc byte[StatementTag.Length + Digest.Length + PublicKey.Length + 2 + Topic.LengthMax + Incarnation.Length];
        StatementWriter writer = new(bytes);
        writer.Tag(StatementTag.Stream);
#if PLANTED
        writer.Digest(Planted.Is("topic-unsigned") ? default : Cluster.Digest);
        writer.PublicKey(Publisher);
        writer.Topic(Planted.Is("topic-unsigned") ? new Topic("any") : Topic);
#else
        writer.Digest(Cluster.Digest);
        writer.PublicKey(Publisher);
        writer.Topic(Topic);
#endif
        writer.Incarnation(Incarnation);
        return new StreamId(Sha256.Hash(writer.Written));
    }
}
