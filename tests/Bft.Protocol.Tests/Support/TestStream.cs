using System.Text;
using Bft.Crypto;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Tests.Support;

/// <summary>One publisher's stream: makes signed batches, honest ones by <see cref="Append"/> and any others by <see cref="Batch"/>.</summary>
public sealed class TestStream
{
    private readonly TestCluster _cluster;
    private readonly List<VerifiedBatch> _batches = [];

    public TestStream(TestCluster cluster, Ed25519Signer publisher, string topic, ulong incarnation)
    {
        _cluster = cluster;
        Signer = publisher;
        Header = new StreamHeader(cluster.Committee.Cluster, publisher.PublicKey, new Topic(topic), new Incarnation(incarnation, 7));
    }

    public Ed25519Signer Signer { get; }

    public StreamHeader Header { get; }

    public StreamId Id => Header.Id;

    /// <summary>What <see cref="Append"/> made, by sequence.</summary>
    public IReadOnlyList<VerifiedBatch> Batches => _batches;

    /// <summary>What the first batch follows; set before the first <see cref="Append"/>.</summary>
    public Ancestor Link { get; set; }

    public VerifiedBatch this[int sequence] => _batches[sequence];

    /// <summary>The next batch, which names its predecessor.</summary>
    public VerifiedBatch Append(params string[] messages)
    {
        VerifiedBatch batch = Batch(
            (ulong)_batches.Count,
            _batches.Count == 0 ? Link : Ancestor.Previous(_batches[^1].Digest),
            messages.Length == 0 ? [$"message {_batches.Count}"] : messages);
        _batches.Add(batch);
        return batch;
    }

    /// <summary>The next <paramref name="count"/> batches.</summary>
    public VerifiedBatch[] AppendMany(int count) => [.. Enumerable.Range(0, count).Select(_ => Append())];

    /// <summary>Any batch that the publisher could sign, for the chain or beside it.</summary>
    public VerifiedBatch Batch(ulong sequence, Ancestor ancestor, params string[] messages)
    {
        SignedBatch signed = Sign(sequence, ancestor, messages);
        return _cluster.Batches.TryVerify(signed, out VerifiedBatch? verified, out RejectReason reason) ? verified : throw new InvalidOperationException($"Refused: {reason}.");
    }

    public SignedBatch Sign(ulong sequence, Ancestor ancestor, params string[] messages)
    {
        (BodyDescription description, byte[] body) = Body(_cluster.Committee.Limits, messages);
        BatchStatement statement = BatchStatement.Create(Header, new Sequence(sequence), ancestor, description);
        return new SignedBatch(statement.Bytes, Signer.Sign(statement.Bytes.Span), body);
    }

    /// <summary>A body of these texts.</summary>
    public static (BodyDescription Description, byte[] Body) Body(ClusterLimits limits, params string[] messages) =>
        Body(limits, [.. messages.Select(message => new Message(Encoding.UTF8.GetBytes(message)))]);

    public static (BodyDescription Description, byte[] Body) Body(ClusterLimits limits, params Message[] messages)
    {
        BodyBuilder builder = new(limits);
        foreach (Message message in messages)
        {
            if (!builder.TryAdd(message))
            {
                throw new InvalidOperationException("The batch has no room for these messages.");
            }
        }

        byte[] body = new byte[builder.BodyLength];
        return (builder.Build(body), body);
    }
}
