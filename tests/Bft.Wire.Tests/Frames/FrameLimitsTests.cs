using System.Buffers;
using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Wire.Tests.Frames;

/// <summary>Each limit is what the protocol's own encodings need, and one beyond it is malformed.</summary>
public class FrameLimitsTests
{
    private static readonly Digest[] LongestPath = new Digest[FormatLimits.AckPathMax];
    private static readonly BatchRef Batch = new(default, new Sequence(5), default);

    [Fact]
    public void Certificates_fit_from_the_smallest_to_the_largest()
    {
        byte[] largest = Certificate(CommitteeSize.Max, LongestPath);

        Assert.True(Certificate(1, []).Length > FrameLimits.CertificateBytesMin);
        Assert.Equal(QuorumCertificate.LengthMax, largest.Length);
        Assert.IsType<TipFrame>(RoundTrip<ISubscribeReply>(new TipFrame(largest)));
        Assert.IsType<TipFrame>(RoundTrip<ISubscribeReply>(new TipFrame(new byte[FrameLimits.CertificateBytesMin])));
        Assert.IsType<MalformedFrame>(RoundTrip<ISubscribeReply>(new TipFrame(new byte[largest.Length + 1])));
        Assert.IsType<MalformedFrame>(RoundTrip<ISubscribeReply>(new TipFrame(new byte[FrameLimits.CertificateBytesMin - 1])));
    }

    [Fact]
    public void The_largest_ack_bundle_fits()
    {
        AckRootStatement root = new(default, Epoch.Zero, new WitnessIndex(0), new Run(1), new Mark(1), FormatLimits.AckLeavesMax, default);
        AckLeaf leaf = new(new AckStatement(Batch, Sequence.Zero), 0, LongestPath);
        byte[] largest = new AckBundle(root, default, [.. Enumerable.Repeat(leaf, FormatLimits.AckLeavesMax)]).Encode();

        Assert.Equal(FrameLimits.AckBundleBytesMax, largest.Length);
        Assert.IsType<AcksFrame>(RoundTrip<IExchangeRequest>(new AcksFrame(largest)));
        Assert.IsType<MalformedFrame>(RoundTrip<IExchangeRequest>(new AcksFrame(new byte[largest.Length + 1])));
        Assert.IsType<MalformedFrame>(RoundTrip<IExchangeRequest>(new AcksFrame(default)));
    }

    [Theory]
    [InlineData(1, FrameLimits.StatementBytesMin)]
    [InlineData(Topic.LengthMax, FormatLimits.BatchStatementBytesMax)]
    public void Statements_fit_with_the_shortest_and_the_longest_topic(int length, int expected)
    {
        StreamHeader header = new(default, default, new Topic(new string('t', length)), default);
        BatchStatement statement = BatchStatement.Create(header, Sequence.Zero, Ancestor.None, new BodyDescription(default, 2, 1, 30, BodyEncoding.Identity));

        Assert.Equal(expected, statement.Bytes.Length);
        Assert.IsType<BatchFrame>(RoundTrip<IPublishRequest>(new BatchFrame(new SignedBatch(statement.Bytes, default, default))));
    }

    [Theory]
    [InlineData(FrameLimits.StatementBytesMin - 1)]
    [InlineData(FormatLimits.BatchStatementBytesMax + 1)]
    public void A_statement_of_another_length_is_malformed(int length)
    {
        byte[] statement = new byte[length];

        Assert.IsType<MalformedFrame>(RoundTrip<IPublishRequest>(new BatchFrame(new SignedBatch(statement, default, default))));
        Assert.IsType<MalformedFrame>(RoundTrip<IFetchReply>(new CertifiedFrame(new byte[100], [new SignedStatement(statement, default)])));
    }

    [Fact]
    public void One_element_too_many_is_malformed()
    {
        SignedStatement statement = new(new byte[FrameLimits.StatementBytesMin], default);
        Topic topic = new("t");

        Assert.IsType<MalformedFrame>(RoundTrip<IFetchReply>(new CertifiedFrame(new byte[100], Many(statement, FrameLimits.StatementsMax + 1))));
        Assert.IsType<MalformedFrame>(RoundTrip<IPublishReply>(new RefusalFrame(default, RefusalReason.Full) { Live = Many(statement, FrameLimits.RefusalLiveMax + 1) }));
        Assert.IsType<MalformedFrame>(RoundTrip<IPublishReply>(new StandingFrame(topic, [], Many(statement, FrameLimits.StandingOriginalsMax + 1))));
        Assert.IsType<MalformedFrame>(RoundTrip<IPublishReply>(new StandingFrame(topic, Many<ReadOnlyMemory<byte>>(new byte[100], FrameLimits.StandingCertificatesMax + 1), [])));
        Assert.IsType<MalformedFrame>(RoundTrip<ISubscribeRequest>(new StartFrame(topic, StartPosition.Cursor, Many<Slot>(default, FrameLimits.CursorsMax + 1), WithBodies: true)));
        Assert.IsType<MalformedFrame>(RoundTrip<IStatusReply>(new StatusFrame(default, WitnessState.Serving) { Peers = Many<PeerStatus>(default, FrameLimits.StatusPeersMax + 1) }));
    }

    [Fact]
    public void Text_is_cut_when_sent_and_too_long_a_text_is_malformed()
    {
        EndFrame end = Assert.IsType<EndFrame>(RoundTrip<ISubscribeReply>(new EndFrame(EndReason.Faulted, "a" + new string('ä', 300) + "\ud800")));

        Assert.Equal("a" + new string('ä', 255), end.Text);
        Assert.Equal("\ufffd", Assert.IsType<EndFrame>(RoundTrip<ISubscribeReply>(new EndFrame(EndReason.Faulted, "\ud800"))).Text);
        Assert.IsType<MalformedFrame>(Decode<ISubscribeReply>(Proto.Field(15, Proto.Field(2, new byte[FrameLimits.TextBytesMax + 1]))));
        Assert.IsType<MalformedFrame>(Decode<ISubscribeReply>(Proto.Field(15, Proto.Field(2, [0xff]))));
    }

    [Fact]
    public void Illegal_numbers_are_malformed()
    {
        byte[] stream = Proto.Field(1, new byte[32]);

        // A sequence of 2⁶², a fetch that ends before it begins, a start from nowhere, a witness 64, a key of 31 bytes.
        Assert.IsType<MalformedFrame>(Decode<IFetchReply>(Proto.Field(9, [.. stream, 0x10, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40])));
        Assert.IsType<MalformedFrame>(Decode<IFetchRequest>(Proto.Field(12, [.. stream, 0x10, 2, 0x18, 1])));
        Assert.IsType<MalformedFrame>(Decode<ISubscribeRequest>(Proto.Field(11, [0x0a, 1, (byte)'t'])));
        Assert.IsType<MalformedFrame>(Decode<IStatusReply>(Proto.Field(20, [0x18, 64])));
        Assert.IsType<MalformedFrame>(Decode<IFetchReply>(Proto.Field(2, Proto.Field(1, new byte[31]))));
    }

    [Fact]
    public void A_reason_of_a_later_version_is_unknown()
    {
        RefusalFrame refusal = Assert.IsType<RefusalFrame>(Decode<IPublishReply>(Proto.Field(8, [.. Proto.Field(1, new byte[32]), 0x18, 0x81, 0x02])));

        Assert.Equal(RefusalReason.Unknown, refusal.Reason);
    }

    [Fact]
    public void The_transport_lets_the_largest_of_each_frame_through()
    {
        int max = FrameLimits.MessageBytesMax(new ClusterLimits { BatchBytesMax = 64 * 1024, MessageBytesMax = 1024, TableBytesMax = 1024 });
        SignedStatement statement = new(new byte[FormatLimits.BatchStatementBytesMax], default);
        byte[] certificate = new byte[QuorumCertificate.LengthMax];
        byte[] bundle = new byte[FrameLimits.AckBundleBytesMax];
        Topic topic = new(new string('t', Topic.LengthMax));
        Slot slot = new(default, new Sequence(Sequence.MaxValue));
        StreamStatus stream = new(default, topic, default, default, slot.Sequence, slot.Sequence);

        Assert.True(FrameCodec.LengthOf(new EvidenceFrame(new byte[Evidence.LengthMax])) <= max);
        Assert.True(FrameCodec.LengthOf(new StandingFrame(topic, Many<ReadOnlyMemory<byte>>(certificate, FrameLimits.StandingCertificatesMax), Many(statement, FrameLimits.StandingOriginalsMax))) <= max);
        Assert.True(FrameCodec.LengthOf(new CertifiedFrame(certificate, Many(statement, FrameLimits.StatementsMax))) <= max);
        Assert.True(FrameCodec.LengthOf(new RefusalFrame(slot, RefusalReason.Full, new string('t', 512)) { Original = statement, Acks = bundle, Certificate = certificate, Live = Many(statement, FrameLimits.RefusalLiveMax) }) <= max);
        Assert.True(FrameCodec.LengthOf(new StartFrame(topic, StartPosition.Cursor, Many(slot, FrameLimits.CursorsMax), WithBodies: true)) <= max);
        Assert.True(FrameCodec.LengthOf(new StatusFrame(default, WitnessState.Serving) { Streams = Many(stream, FrameLimits.StatusStreamsMax) }) <= max);
        Assert.True(FrameCodec.LengthOf(new BatchFrame(new SignedBatch(statement.Bytes, default, new byte[16 * 1024 * 1024]))) <= FrameLimits.MessageBytesMax(ClusterLimits.Default with { BatchBytesMax = 16 * 1024 * 1024 }));
        Assert.Equal(FrameCodec.MessageBytesMax, FrameLimits.MessageBytesMax(ClusterLimits.Default with { BatchBytesMax = 16 * 1024 * 1024 }));
    }

    private static T[] Many<T>(T element, int count)
    {
        T[] elements = new T[count];
        Array.Fill(elements, element);
        return elements;
    }

    private static byte[] Certificate(int witnesses, Digest[] path) => new QuorumCertificate(
        Batch,
        Epoch.Zero,
        [.. Enumerable.Range(0, witnesses).Select(index => new CertificateEntry(new WitnessIndex(index), Sequence.Zero, 0, path, new Run(1), new Mark(1), FormatLimits.AckLeavesMax, default))]).Bytes.ToArray();

    private static T RoundTrip<T>(T frame)
        where T : class, IFrame
    {
        ArrayBufferWriter<byte> output = new();
        FrameCodec.Encode(frame, output);
        return Decode<T>(output.WrittenSpan.ToArray());
    }

    private static T Decode<T>(byte[] bytes)
        where T : class, IFrame => FrameCodec.Decode<T>(new ReadOnlySequence<byte>(bytes));
}
