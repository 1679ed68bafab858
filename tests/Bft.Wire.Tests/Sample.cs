using System.Buffers;
using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;
using Google.Protobuf;

namespace Bft.Wire.Tests;

/// <summary>A frame, and the same made by hand of the generated classes.</summary>
internal sealed record Sample(string Name, IFrame Frame, int Field, IMessage Content)
{
    private static readonly StreamId Stream = new(new Digest(Bytes(32, 10)));
    private static readonly Slot Slot = new(Stream, new Sequence(300));
    private static readonly byte[] Certificate = Bytes(78 + 98, 20);
    private static readonly byte[] Bundle = Bytes(210, 30);
    private static readonly SignedStatement Statement = new(Bytes(209, 40), new Signature(Bytes(64, 50)));
    private static readonly SignedStatement Longest = new(Bytes(463, 60), new Signature(Bytes(64, 70)));
    private static readonly Topic Topic = new("orders/ä");
    private static readonly PublicKey Key = new(Bytes(32, 80));

    public static IReadOnlyList<Sample> All { get; } =
    [
        new("hello", new HelloFrame(Key, new Signature(Bytes(64, 90))), 1, new V1.Hello { ClientKey = Of(32, 80), Signature = Of(64, 90) }),
        new("challenge", new ChallengeFrame(new Digest(Bytes(32, 1))), 2, new V1.Challenge { Nonce = Of(32, 1) }),
        new("challenge_of_zeros", new ChallengeFrame(default), 2, new V1.Challenge { Nonce = ByteString.CopyFrom(new byte[32]) }),
        new("welcome", WelcomeFrame.Instance, 3, new V1.Welcome()),
        new("batch", new BatchFrame(new SignedBatch(Statement.Bytes, Statement.Signature, Bytes(300, 2))), 4, new V1.Batch { Statement = Of(209, 40), Signature = Of(64, 50), Body = Of(300, 2) }),
        new("batch_without_body", new BatchFrame(new SignedBatch(Longest.Bytes, Longest.Signature, default)), 4, new V1.Batch { Statement = Of(463, 60), Signature = Of(64, 70) }),
        new("certified", new CertifiedFrame(Certificate, [Statement, Longest]), 5, new V1.Certified { Certificate = Of(176, 20), Statements = { Generated(Statement), Generated(Longest) } }),
        new("certified_alone", new CertifiedFrame(Certificate, []), 5, new V1.Certified { Certificate = Of(176, 20) }),
        new("acks", new AcksFrame(Bundle), 6, new V1.Acks { Bundle = Of(210, 30) }),
        new("tip", new TipFrame(Certificate), 7, new V1.Tip { Certificate = Of(176, 20) }),
        new("refusal", new RefusalFrame(Slot, RefusalReason.Conflict, "taken") { Original = Statement, Acks = Bundle, Certificate = Certificate, Live = [Longest, Statement] }, 8, new V1.Refusal
        {
            Stream = Of(32, 10), Sequence = 300, Reason = V1.RefusalReason.Conflict, Original = Generated(Statement), Acks = Of(210, 30), Certificate = Of(176, 20), Text = "taken", Live = { Generated(Longest), Generated(Statement) },
        }),
        new("refusal_bare", new RefusalFrame(new Slot(Stream, Sequence.Zero), RefusalReason.UnknownTopic), 8, new V1.Refusal { Stream = Of(32, 10), Reason = V1.RefusalReason.UnknownTopic }),
        new("body", new BodyFrame(Slot, Bytes(200, 3)), 9, new V1.Body { Stream = Of(32, 10), Sequence = 300, Body_ = Of(200, 3) }),
        new("heartbeat", new HeartbeatFrame(), 10, new V1.Heartbeat()),
        new("heartbeat_with_digest", new HeartbeatFrame(new Digest(Bytes(32, 4))), 10, new V1.Heartbeat { TipsDigest = Of(32, 4) }),
        new("heartbeat_with_offenders", new HeartbeatFrame(null, new Digest(Bytes(32, 9))), 10, new V1.Heartbeat { OffendersDigest = Of(32, 9) }),
        new("start", new StartFrame(Topic, StartPosition.Cursor, [Slot, new Slot(new StreamId(new Digest(Bytes(32, 5))), Sequence.Zero)], WithBodies: true), 11, new V1.Start
        {
            Topic = "orders/ä", From = V1.StartPosition.Cursor, Cursors = { new V1.Cursor { Stream = Of(32, 10), Next = 300 }, new V1.Cursor { Stream = Of(32, 5) } }, Bodies = true,
        }),
        new("start_latest_tips", new StartFrame(Topic, StartPosition.Latest, [], WithBodies: false), 11, new V1.Start { Topic = "orders/ä", From = V1.StartPosition.Latest }),
        new("fetch", new FetchFrame(Stream, new Sequence(1), new Sequence(Sequence.MaxValue), WithBodies: true), 12, new V1.Fetch { Stream = Of(32, 10), From = 1, To = Sequence.MaxValue, Bodies = true }),
        new("fetch_one", new FetchFrame(Stream, new Sequence(1), new Sequence(1), WithBodies: true, new Digest(Bytes(32, 5))), 12, new V1.Fetch { Stream = Of(32, 10), From = 1, To = 1, Bodies = true, Batch = Of(32, 5) }),
        new("fetched", new FetchedFrame(Stream, Sequence.Zero), 13, new V1.Fetched { Stream = Of(32, 10), Highest = 0 }),
        new("fetched_nothing", new FetchedFrame(Stream, null, IsUnknownStream: true), 13, new V1.Fetched { Stream = Of(32, 10), UnknownStream = true }),
        new("floor", new FloorFrame(Slot, Certificate), 14, new V1.Floor { Stream = Of(32, 10), Sequence = 300, Certificate = Of(176, 20) }),
        new("end", new EndFrame(EndReason.SlowConsumer, "1 MiB behind"), 15, new V1.End { Reason = V1.EndReason.SlowConsumer, Text = "1 MiB behind" }),
        new("evidence", new EvidenceFrame(Bytes(150, 6)), 16, new V1.Evidence { Evidence_ = Of(150, 6) }),
        new("recall", new RecallFrame(Bundle), 17, new V1.Recall { Bundle = Of(210, 30) }),
        new("recall_question", new RecallFrame(default, Asks: new Run(0)), 17, new V1.Recall { Asks = 0 }),
        new("recall_answer", new RecallFrame(Bundle, Answers: new Run(ulong.MaxValue)), 17, new V1.Recall { Bundle = Of(210, 30), Answers = ulong.MaxValue }),
        new("recall_of_nothing", new RecallFrame(default), 17, new V1.Recall()),
        new("inquiry", new InquiryFrame(Topic), 18, new V1.Inquiry { Topic = "orders/ä" }),
        new("standing", new StandingFrame(Topic, [Certificate, Bytes(78, 7)], [Statement, Longest]), 19, new V1.Standing
        {
            Topic = "orders/ä", Certificates = { Of(176, 20), Of(78, 7) }, Originals = { Generated(Statement), Generated(Longest) },
        }),
        new("status", Status(), 20, GeneratedStatus()),
        new("info", new InfoFrame(new ClusterId(new Digest(Bytes(32, 8))), new WitnessIndex(3), Key, new Epoch(7), "bft 0.1.0", ClusterLimits.Default), 21, new V1.Info
        {
            Cluster = Of(32, 8), Witness = 3, WitnessKey = Of(32, 80), Epoch = 7, Software = "bft 0.1.0", BatchBytesMax = 4 << 20, MessageBytesMax = 2 << 20, MessageCountMax = 65536,
            TableBytesMax = 262144, WindowSlots = 256, WindowBytes = 32 << 20,
        }),
    ];

    public static TheoryData<string> Names { get; } = [.. All.Select(sample => sample.Name)];

    public byte[] Encoded
    {
        get
        {
            ArrayBufferWriter<byte> output = new();
            FrameCodec.Encode(Frame, output);
            return output.WrittenSpan.ToArray();
        }
    }

    /// <summary>The messages that may hold it.</summary>
    public IEnumerable<Envelope> Envelopes => Envelope.All.Where(envelope => envelope.Takes(Frame));

    public static Sample Named(string name) => All.Single(sample => sample.Name == name);

    /// <summary>Bytes that count up from <paramref name="first"/>.</summary>
    public static byte[] Bytes(int length, int first) => [.. Enumerable.Range(first, length).Select(value => (byte)(value & 0xff))];

    private static ByteString Of(int length, int first) => ByteString.CopyFrom(Bytes(length, first));

    private static V1.SignedStatement Generated(SignedStatement statement)
    {
        byte[] signature = new byte[Signature.Length];
        statement.Signature.CopyTo(signature);
        return new V1.SignedStatement { Statement = ByteString.CopyFrom(statement.Bytes.Span), Signature = ByteString.CopyFrom(signature) };
    }

    private static StatusFrame Status() => new(new WitnessIndex(63), WitnessState.NotAcking, "lost its memory")
    {
        Run = new Run(ulong.MaxValue),
        Mark = new Mark(1UL << 40),
        StartedUnixMs = 1_700_000_000_000,
        JournalBytes = 1L << 33,
        EvidenceCount = 1,
        StreamCount = 3,
        Peers = [new PeerStatus(new WitnessIndex(0), IsConnected: false, 0), new PeerStatus(new WitnessIndex(1), IsConnected: true, 20)],
        Streams =
        [
            new StreamStatus(Stream, Topic, Key, new Incarnation(1, 2), new Sequence(0), Sequence.Zero),
            new StreamStatus(Stream, Topic, Key, new Incarnation(3, 4), null, new Sequence(9)),
        ],
        IsStreamsTruncated = true,
        Work = new WorkCounts(5, 1L << 40, 7, 12_345, 99),
    };

    private static V1.Status GeneratedStatus() => new()
    {
        State = V1.WitnessState.NotAcking,
        Text = "lost its memory",
        Witness = 63,
        Signatures = 5,
        Verifications = 1L << 40,
        Flushes = 7,
        PauseMicroseconds = 12_345,
        AllocatedBytes = 99,
        Run = ulong.MaxValue,
        Mark = 1UL << 40,
        StartedUnixMs = 1_700_000_000_000,
        JournalBytes = 1UL << 33,
        EvidenceCount = 1,
        StreamCount = 3,
        Peers = { new V1.PeerStatus(), new V1.PeerStatus { Witness = 1, Connected = true, LastHeardMs = 20 } },
        Streams =
        {
            new V1.StreamStatus { Stream = Of(32, 10), Topic = "orders/ä", Publisher = Of(32, 80), Incarnation = Halves(1, 2), Tip = 0 },
            new V1.StreamStatus { Stream = Of(32, 10), Topic = "orders/ä", Publisher = Of(32, 80), Incarnation = Halves(3, 4), Floor = 9 },
        },
        StreamsTruncated = true,
    };

    private static ByteString Halves(byte counter, byte random) => ByteString.CopyFrom([counter, 0, 0, 0, 0, 0, 0, 0, random, 0, 0, 0, 0, 0, 0, 0]);
}
