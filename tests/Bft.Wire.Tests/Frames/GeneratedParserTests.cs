using System.Buffers;
using Bft.Wire.Frames;
using Google.Protobuf;

namespace Bft.Wire.Tests.Frames;

/// <summary>Our reading and writing against the generated code's.</summary>
public class GeneratedParserTests
{
    [Theory]
    [MemberData(nameof(Sample.Names), MemberType = typeof(Sample))]
    public void Both_write_the_same_bytes(string name)
    {
        Sample sample = Sample.Named(name);

        Assert.NotEmpty(sample.Envelopes);
        Assert.All(sample.Envelopes, envelope => Assert.Equal(envelope.With(sample.Field, sample.Content).ToByteArray(), sample.Encoded));
        Assert.Equal(sample.Encoded.Length, FrameCodec.LengthOf(sample.Frame));
    }

    [Theory]
    [MemberData(nameof(Sample.Names), MemberType = typeof(Sample))]
    public void Ours_is_read_by_the_generated_parser(string name)
    {
        Sample sample = Sample.Named(name);

        Assert.All(sample.Envelopes, envelope => Assert.Equal(envelope.With(sample.Field, sample.Content), envelope.Parse(sample.Encoded)));
    }

    [Theory]
    [MemberData(nameof(Sample.Names), MemberType = typeof(Sample))]
    public void Generated_is_read_by_ours_in_one_piece_and_in_many(string name)
    {
        Sample sample = Sample.Named(name);
        foreach (Envelope envelope in sample.Envelopes)
        {
            byte[] bytes = envelope.With(sample.Field, sample.Content).ToByteArray();
            foreach (int piece in new[] { bytes.Length, 1, 7 })
            {
                IFrame frame = envelope.Decode(Pieces.Of(bytes, piece));

                Assert.IsType(sample.Frame.GetType(), frame);
                Assert.Equal(bytes, (sample with { Frame = frame }).Encoded);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Sample.Names), MemberType = typeof(Sample))]
    public void A_frame_in_a_message_that_cannot_hold_it_is_an_unknown_field(string name)
    {
        Sample sample = Sample.Named(name);
        foreach (Envelope envelope in Envelope.All.Where(envelope => !envelope.Takes(sample.Frame)))
        {
            Assert.Equal(0, envelope.FieldOf(envelope.Parse(sample.Encoded)));
            Assert.Same(EmptyFrame.Instance, envelope.Decode(new ReadOnlySequence<byte>(sample.Encoded)));
        }
    }

    [Fact]
    public void Every_frame_of_the_contract_has_a_sample()
    {
        IEnumerable<int> fields = Envelope.All.SelectMany(envelope => envelope.Descriptor.Oneofs[0].Fields).Select(field => field.FieldNumber).Distinct();

        Assert.Equal(fields.Order(), Sample.All.Select(sample => sample.Field).Distinct().Order());
    }
}
