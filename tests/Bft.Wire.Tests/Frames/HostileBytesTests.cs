using System.Buffers;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;
using Google.Protobuf;

namespace Bft.Wire.Tests.Frames;

/// <summary>Any bytes give a frame, within the allocation bound; and what we take, the generated parser takes for the same.</summary>
public class HostileBytesTests
{
    private const int Rounds = 3000;

    [Theory]
    [MemberData(nameof(Sample.Names), MemberType = typeof(Sample))]
    public void Truncated_frames_are_malformed(string name)
    {
        Sample sample = Sample.Named(name);
        byte[] bytes = sample.Encoded;
        Envelope envelope = sample.Envelopes.First();

        // The envelope's own length says where the frame ends, so no shorter message is whole.
        for (int length = 1; length < bytes.Length; length++)
        {
            Assert.IsType<MalformedFrame>(Decode(envelope, bytes[..length]));
        }
    }

    [Theory]
    [MemberData(nameof(Sample.Names), MemberType = typeof(Sample))]
    public void Changed_frames_are_read_as_the_generated_parser_reads_them_or_not_at_all(string name)
    {
        Sample sample = Sample.Named(name);
        Random random = new(Sample.Names.Count + name.Length);
        int taken = 0;
        for (int round = 0; round < Rounds; round++)
        {
            byte[] bytes = Change(sample.Encoded, random);
            foreach (Envelope envelope in sample.Envelopes)
            {
                IFrame frame = Decode(envelope, bytes);
                if (frame is MalformedFrame or EmptyFrame)
                {
                    continue;
                }

                taken++;
                IMessage generated = envelope.Parse(bytes);
                if (frame is RefusalFrame { Reason: RefusalReason.Unknown })
                {
                    V1.PublishReply reply = (V1.PublishReply)generated;
                    Assert.True(!Enum.IsDefined(reply.Refusal.Reason) || reply.Refusal.Reason == V1.RefusalReason.Unknown);
                    reply.Refusal.Reason = V1.RefusalReason.Unknown;
                }

                Assert.Equal(Convert.ToHexStringLower(generated.ToByteArray()), Convert.ToHexStringLower((sample with { Frame = frame }).Encoded));
            }
        }

        Assert.True(taken > 0, "No change left a frame that could be read.");
    }

    [Fact]
    public void Random_bytes_never_throw()
    {
        Random random = new(1);
        for (int round = 0; round < 20 * Rounds; round++)
        {
            byte[] bytes = new byte[random.Next(64)];
            random.NextBytes(bytes);
            foreach (Envelope envelope in Envelope.All)
            {
                Decode(envelope, bytes);
            }
        }
    }

    [Fact]
    public void Lists_of_the_smallest_elements_stay_within_the_bound()
    {
        byte[] topic = [(2 << 3) | 2, 1, (byte)'t'];
        byte[] cursor = [(1 << 3) | 2, 32, .. new byte[32]];
        byte[] stream = [.. cursor, .. topic, (3 << 3) | 2, 32, .. new byte[32], (4 << 3) | 2, 16, .. new byte[16]];
        byte[] statement = [(1 << 3) | 2, 209, 1, .. new byte[209], (2 << 3) | 2, 64, .. new byte[64]];
        byte[] head = [(1 << 3) | 2, 1, (byte)'t', (2 << 3) | 0, 3];
        byte[] certificate = [(1 << 3) | 2, 78, .. new byte[78]];

        Assert.Equal(FrameLimits.CursorsMax, Assert.IsType<StartFrame>(Decode<ISubscribeRequest>(11, [.. head, .. Proto.Fields(3, cursor, FrameLimits.CursorsMax)])).Cursors.Count);
        Assert.Equal(FrameLimits.StatementsMax, Assert.IsType<CertifiedFrame>(Decode<IFetchReply>(5, [.. certificate, .. Proto.Fields(2, statement, FrameLimits.StatementsMax)])).Statements.Count);
        Assert.Equal(FrameLimits.StandingOriginalsMax, Assert.IsType<StandingFrame>(Decode<IPublishReply>(19, [.. head, .. Proto.Fields(3, statement, FrameLimits.StandingOriginalsMax)])).Originals.Count);
        Assert.Equal(FrameLimits.StatusStreamsMax, Assert.IsType<StatusFrame>(Decode<IStatusReply>(20, Proto.Fields(11, stream, FrameLimits.StatusStreamsMax))).Streams.Count);
        Assert.Equal(FrameLimits.StatusPeersMax, Assert.IsType<StatusFrame>(Decode<IStatusReply>(20, Proto.Fields(10, [], FrameLimits.StatusPeersMax))).Peers.Count);
    }

    [Fact]
    public void A_million_empty_elements_or_unknown_fields_cost_nothing()
    {
        Assert.IsType<MalformedFrame>(Decode<ISubscribeRequest>(11, [(1 << 3) | 2, 1, (byte)'t', (2 << 3) | 0, 3, .. Proto.Fields(3, [], 1_000_000)]));
        Assert.IsType<MalformedFrame>(Decode<IPublishReply>(19, [(1 << 3) | 2, 1, (byte)'t', .. Proto.Fields(2, [], 1_000_000)]));
        Assert.IsType<MalformedFrame>(Decode<IStatusReply>(20, Proto.Fields(10, [], 1_000_000)));
        Assert.IsType<WelcomeFrame>(Decode<IStatusReply>(3, Proto.Fields(9, [], 1_000_000)));
        Assert.IsType<EmptyFrame>(Decode(Envelope.All[0], Proto.Fields(99, [], 1_000_000)));
    }

    [Fact]
    public void As_many_empty_elements_as_may_be_cost_nothing()
    {
        Assert.IsType<MalformedFrame>(Decode<ISubscribeRequest>(11, [(1 << 3) | 2, 1, (byte)'t', (2 << 3) | 0, 3, .. Proto.Fields(3, [], FrameLimits.CursorsMax)]));
        Assert.IsType<MalformedFrame>(Decode<IStatusReply>(20, Proto.Fields(11, [], FrameLimits.StatusStreamsMax)));
    }

    [Fact]
    public void A_message_above_every_limit_is_refused_before_it_is_read()
    {
        ReadOnlySequence<byte> message = new(new byte[FrameCodec.MessageBytesMax + 1]);

        Assert.Equal(RejectReason.OverLimit, Assert.IsType<MalformedFrame>(FrameCodec.Decode<IPublishRequest>(message)).Reason);
    }

    /// <summary>Decodes, and holds the allocation bound: four times the input and 16 KiB.</summary>
    private static IFrame Decode(Envelope envelope, byte[] bytes)
    {
        ReadOnlySequence<byte> sequence = new(bytes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        IFrame frame = envelope.Decode(sequence);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        // The owner is not given back: each body costs an array, as if none ever came back to the pool.
        Assert.True(allocated <= (4L * bytes.Length) + (16 * 1024), $"{allocated} bytes for {bytes.Length}.");
        return frame;
    }

    private static IFrame Decode<T>(int field, byte[] content)
        where T : class, IFrame => Decode(Envelope.All.Single(envelope => envelope.Frames == typeof(T)), Proto.Field(field, content));

    private static byte[] Change(byte[] bytes, Random random)
    {
        List<byte> changed = [.. bytes];
        for (int changes = random.Next(1, 4); changes > 0; changes--)
        {
            // Most structure stands in the first bytes.
            int at = random.Next(random.Next(2) == 0 ? Math.Min(8, changed.Count) : changed.Count);
            switch (random.Next(5))
            {
                case 0:
                    changed[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    changed[at] = (byte)random.Next(256);
                    break;
                case 2:
                    changed.Insert(at, (byte)random.Next(256));
                    break;
                case 3 when changed.Count > 1:
                    changed.RemoveAt(at);
                    break;
                default:
                    changed.AddRange(changed.GetRange(at, Math.Min(changed.Count - at, random.Next(100))));
                    break;
            }
        }

        return [.. changed];
    }
}
