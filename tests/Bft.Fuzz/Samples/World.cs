using System.Text;
using Bft.Crypto;
using Bft.Protocol.Bodies;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Receipts;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;

namespace Bft.Fuzz.Samples;

/// <summary>A small cluster and all that was ever signed in it, by keys that are always the same. Whatever verifies and is not from here was forged.</summary>
internal static class World
{
    private const int SmallChunks = 1500;
    private static readonly HashSet<Digest> Statements = [];
    private static readonly HashSet<(int Witness, AckStatement Ack)> Acks = [];

    public static TestCluster Cluster { get; } = new();

    public static Committee Committee => Cluster.Committee;

    /// <summary>A correct publisher's stream of three batches: one message, several subjects, one large message.</summary>
    public static TestStream Stream { get; } = Cluster.Stream();

    /// <summary>Certificates of its batches: each alone, and one that covers all.</summary>
    public static VerifiedCertificate[] Certificates { get; }

    public static AckBundle[] Bundles { get; }

    public static Evidence[] Evidence { get; }

    /// <summary>Who signed two things where one is allowed. Nobody else may ever be accused.</summary>
    public static PublicKey[] Offenders { get; }

    public static Receipt[] Receipts { get; }

    /// <summary>Batches that publishers signed, the offender's too.</summary>
    public static VerifiedBatch[] Batches { get; }

    static World()
    {
        VerifiedBatch first = Stream.Append("hello");
        VerifiedBatch second = Batch(Stream, 1, Ancestor.Previous(first.Digest), Messages());
        VerifiedBatch third = Batch(Stream, 2, Ancestor.Previous(second.Digest), [new Message(Encoding.ASCII.GetBytes(new string('x', 17_000)))]);
        TestStream linked = Cluster.Stream(topic: "orders", incarnation: 2);
        VerifiedBatch link = linked.Batch(0, Ancestor.Link(Stream.Header.Incarnation, new Sequence(2), third.Digest), "linked");
        VerifiedBatch longest = Cluster.Stream(topic: new string('t', Topic.LengthMax)).Append("a", "b");

        TestStream forked = Cluster.Stream(publisher: 9);
        VerifiedBatch left = forked.Batch(0, Ancestor.None, "left");
        VerifiedBatch right = forked.Batch(0, Ancestor.None, "right");
        VerifiedBatch above = forked.Batch(1, Ancestor.Previous(left.Digest), "above left");
        byte[] chunks = Tables.OfSmallChunks(SmallChunks);
        ChunkTable.TryRead(chunks, SmallChunks, Committee.Limits.TableBytesMax, out ChunkTable? table);
        BodyDescription described = new(BodyRoot.Of(chunks, table!), SmallChunks + 1, SmallChunks, chunks.Length, BodyEncoding.Identity);
        VerifiedBatch small = BatchVerifier.Sign(BatchStatement.Create(forked.Header, new Sequence(1), Ancestor.Previous(left.Digest), described), forked.Signer, chunks, null);
        Batches = [first, second, third, link, longest, left, right, above, small];
        Statements.UnionWith(Batches.Select(batch => batch.Digest));

        Certificates = [Certify(first, 0), Certify(second, 1), Certify(third, 0), Certify(link, 0)];
        const int Liar = 3;
        Bundles =
        [
            Bundle(0, Of(first, 0)),
            Bundle(1, Of(first, 0), Of(second, 0), Of(third, 1), Of(link, 0), Of(longest, 0)),
            Bundle(Liar, Of(left, 0)),
            Bundle(Liar, Of(right, 0)),
            Bundle(Liar, Of(above, 0)),
        ];
        Evidence =
        [
            new PublisherEquivocation(SignedStatement.From(left.Statement), SignedStatement.From(right.Statement)),
            new WitnessEquivocation(new AckWithChain(Bundles[2], []), new AckWithChain(Bundles[3], [])),
            new WitnessEquivocation(new AckWithChain(Bundles[4], [above.Statement.Statement.Bytes]), new AckWithChain(Bundles[3], [])),
        ];
        Offenders = [forked.Signer.PublicKey, Cluster.SignerOf(new WitnessIndex(Liar)).PublicKey];

        CertifiedRange range = Range(Certificates[2], first, second, third);
        Receipts =
        [
            Receipt.Create(first, Range(Certificates[0], first), Committee.Limits),
            Receipt.Create(second, Range(Certificates[1], second), Committee.Limits, 0, 3),
            Receipt.Create(first, range, Committee.Limits, 0),
            Receipt.Create(second, range, Committee.Limits),
        ];
    }

    public static bool IsSigned(Digest statement) => Statements.Contains(statement);

    public static bool IsAcked(int witness, AckStatement ack) => Acks.Contains((witness, ack));

    /// <summary>Messages with all that a message may have.</summary>
    public static Message[] Messages() =>
    [
        new(Encoding.ASCII.GetBytes("plain")),
        new(Encoding.ASCII.GetBytes("typed")) { ContentType = "text/plain", Subject = "a" },
        new(default) { Key = Encoding.ASCII.GetBytes("key"), Subject = "b" },
        new(Encoding.ASCII.GetBytes("headed")) { Subject = "a", Headers = [new MessageHeader("name", Encoding.ASCII.GetBytes("value")), new MessageHeader("ä", default)] },
        new(Encoding.ASCII.GetBytes(new string('y', 200))) { Subject = new string('s', 255) },
    ];

    private static VerifiedBatch Batch(TestStream stream, ulong sequence, Ancestor ancestor, Message[] messages)
    {
        (BodyDescription description, byte[] body) = TestStream.Body(Committee.Limits, messages);
        return BatchVerifier.Sign(BatchStatement.Create(stream.Header, new Sequence(sequence), ancestor, description), stream.Signer, body, null);
    }

    private static VerifiedCertificate Certify(VerifiedBatch batch, ulong from)
    {
        foreach (int witness in Cluster.Quorum)
        {
            Acks.Add((witness, Of(batch, from)));
        }

        return Cluster.Certify(batch.Reference, from);
    }

    private static AckBundle Bundle(int witness, params AckStatement[] acks)
    {
        Acks.UnionWith(acks.Select(ack => (witness, ack)));
        return Cluster.Bundle(witness, acks);
    }

    private static AckStatement Of(VerifiedBatch batch, ulong from) => new(batch.Reference, new Sequence(from));

    private static CertifiedRange Range(VerifiedCertificate certificate, params VerifiedBatch[] batches) =>
        CertifiedRange.TryVerify(Cluster.Batches, certificate, [.. batches.Select(batch => SignedStatement.From(batch.Statement))], out CertifiedRange? range, out RejectReason reason)
            ? range
            : throw new InvalidOperationException($"Refused: {reason}.");
}
