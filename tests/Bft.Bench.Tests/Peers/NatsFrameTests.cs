using System.Text;
using Bft.Bench.Peers;

namespace Bft.Bench.Tests.Peers;

public sealed class NatsFrameTests
{
    private const string Headers = "NATS/1.0 100 FlowControl Request\r\n\r\n";

    [Theory]
    [InlineData("MSG a.b 7 5\r\nhello\r\n", "a.b", 7, "", "", "hello")]
    [InlineData("MSG a.b 7 answer.here 5\r\nhello\r\n", "a.b", 7, "answer.here", "", "hello")]
    [InlineData("MSG a 1 0\r\n\r\n", "a", 1, "", "", "")]
    [InlineData("MSG a 1 4\r\n\r\n\r\n\r\n", "a", 1, "", "", "\r\n\r\n")]
    [InlineData("HMSG a 12 r 36 38\r\n" + Headers + "ok\r\n", "a", 12, "r", Headers, "ok")]
    [InlineData("HMSG a 12 36 36\r\n" + Headers + "\r\n", "a", 12, "", Headers, "")]
    public void A_message_is_read_when_it_is_all_there_and_not_before(string text, string subject, int subscription, string reply, string headers, string payload)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(text + "PING\r\n");
        int length = text.Length;
        for (int have = 0; have < length; have++)
        {
            Assert.Equal(0, NatsFrame.Read(bytes.AsSpan(0, have), out _));
        }

        Assert.Equal(length, NatsFrame.Read(bytes, out NatsFrame frame));
        Assert.Equal((NatsKind.Message, subscription), (frame.Kind, frame.Subscription));
        Assert.Equal([subject, reply, headers, payload], [Text(frame.Subject), Text(frame.Reply), Text(frame.Headers), Text(frame.Payload)]);
    }

    [Theory]
    [InlineData("PING\r\n", NatsKind.Ping)]
    [InlineData("-ERR 'Slow Consumer'\r\n", NatsKind.Error)]
    [InlineData("+OK\r\n", NatsKind.Note)]
    [InlineData("INFO {\"server_name\":\"n\"}\r\n", NatsKind.Note)]
    public void What_is_no_message_is_a_line(string text, object kind)
    {
        Assert.Equal(text.Length, NatsFrame.Read(Encoding.ASCII.GetBytes(text + "MSG"), out NatsFrame frame));

        Assert.Equal(kind, frame.Kind);
        Assert.Equal(text.TrimEnd(), Text(frame.Payload));
    }

    [Theory]
    [InlineData("MSG a 1\r\n")]
    [InlineData("MSG a 1 -5\r\n")]
    [InlineData("MSG a 1 5x\r\nhello\r\n")]
    [InlineData("MSG a x 5\r\nhello\r\n")]
    [InlineData("HMSG a 1 9 5\r\nhello\r\n")]
    [InlineData("MSG a 1 r s 5\r\nhello\r\n")]
    public void What_is_no_NATS_ends_the_connection(string text) =>
        Assert.Throws<PeerFailedException>(() => NatsFrame.Read(Encoding.ASCII.GetBytes(text), out _));

    [Fact]
    public void A_line_has_a_limit() =>
        Assert.Throws<PeerFailedException>(() => NatsFrame.Read(new byte[64 * 1024], out _));

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.ASCII.GetString(bytes);
}
