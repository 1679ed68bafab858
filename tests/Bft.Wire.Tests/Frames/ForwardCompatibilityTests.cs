using System.Buffers;
using Bft.Wire.Frames;
using Google.Protobuf;

namespace Bft.Wire.Tests.Frames;

/// <summary>What a later version may add is skipped; what no version may send is refused.</summary>
public class ForwardCompatibilityTests
{
    /// <summary>Field 1000 with each wire type: varint, fixed64, bytes, fixed32.</summary>
    private static readonly byte[] Unknown = [0xc0, 0x3e, 0xff, 0x01, 0xc1, 0x3e, 1, 2, 3, 4, 5, 6, 7, 8, 0xc2, 0x3e, 3, 1, 2, 3, 0xc5, 0x3e, 1, 2, 3, 4];

    [Theory]
    [MemberData(nameof(Sample.Names), MemberType = typeof(Sample))]
    public void Unknown_fields_are_skipped_around_a_frame_and_in_it(string name)
    {
        Sample sample = Sample.Named(name);
        byte[] content = sample.Content.ToByteArray();
        byte[] message = [.. Unknown, .. Proto.Field(sample.Field, [.. Unknown, .. content, .. Unknown]), .. Unknown];

        Assert.All(sample.Envelopes, envelope => Assert.Equal(sample.Encoded, (sample with { Frame = envelope.Decode(new ReadOnlySequence<byte>(message)) }).Encoded));
    }

    [Fact]
    public void A_known_field_of_another_wire_type_is_an_unknown_one()
    {
        // Heartbeat's digest as a number; then a frame's own number as a number.
        Assert.Equal(new HeartbeatFrame(), Decode<ISubscribeReply>([0x52, 2, 0x08, 1]));
        Assert.Same(EmptyFrame.Instance, Decode<ISubscribeReply>([0x50, 1]));
    }

    [Fact]
    public void The_last_of_two_equal_fields_counts()
    {
        byte[] zeros = [0x0a, 32, .. new byte[32]];
        byte[] ones = [0x0a, 32, .. Enumerable.Repeat((byte)1, 32)];

        Assert.Equal(new ChallengeFrame(new Crypto.Digest(ones.AsSpan(2))), Decode<IFetchReply>(Proto.Field(2, [.. zeros, .. ones])));
    }

    [Fact]
    public void A_message_without_a_frame_is_empty()
    {
        Assert.Same(EmptyFrame.Instance, Decode<IPublishReply>([]));
        Assert.Same(EmptyFrame.Instance, Decode<IPublishReply>(Unknown));
        Assert.Equal(0, FrameCodec.LengthOf(EmptyFrame.Instance));
    }

    [Fact]
    public void A_message_with_two_frames_is_malformed()
    {
        Assert.IsType<MalformedFrame>(Decode<IPublishReply>([0x1a, 0, 0x1a, 0]));
        Assert.IsType<MalformedFrame>(Decode<IPublishReply>([0x1a, 0, 0x52, 0]));
    }

    [Theory]
    [InlineData("1a00 03")]
    [InlineData("1a00 0b0c")]
    [InlineData("1a00 07")]
    [InlineData("1a00 00 00")]
    [InlineData("1a00 08 ffffffffffffffffff02")]
    [InlineData("1a00 08 ffffffffffffffffffff01")]
    [InlineData("1a00 8080808010 00")]
    [InlineData("1a ffffffffffffffffff01")]
    [InlineData("1a01")]
    public void What_protobuf_does_not_allow_and_groups_are_malformed(string hex) =>
        Assert.IsType<MalformedFrame>(Decode<IPublishReply>(Convert.FromHexString(hex.Replace(" ", string.Empty, StringComparison.Ordinal))));

    private static T Decode<T>(byte[] bytes)
        where T : class, IFrame => FrameCodec.Decode<T>(new ReadOnlySequence<byte>(bytes));
}
