using System.Buffers.Binary;
using System.Buffers;
using System.IO.Pipelines;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Microsoft.AspNetCore.Connections;

namespace Bft.Node.Tests.Operations;

public sealed class FrameGuardTests
{
    private const byte Data = 0;
    private const byte Headers = 1;
    private const byte Ping = 6;
    private static readonly EdgeLimits Limits = EdgeLimits.Default with { StrangerFramesPerSecond = 2, FramesPerSecond = 20, StrangerBytesMax = 100_000 };
    private readonly Lobby _lobby = new(Limits, new NodeLog(TextWriter.Null, new WitnessIndex(0)));
    private readonly DefaultConnectionContext _connection = new();
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 0));
    private readonly FrameGuard _guard;

    public FrameGuardTests()
    {
        _ = _lobby.ServeAsync(_connection, _ => new TaskCompletionSource().Task);
        _guard = new FrameGuard(_pipe.Reader, Visitor, Limits);
        _pipe.Writer.Write(new byte[24]); // the preface
    }

    private Visitor Visitor => _connection.Features.Get<Visitor>()!;

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(5000)]
    public async Task Bodies_are_counted_whatever_the_cuts(int cut)
    {
        Write(Headers, 1, 60);
        Write(Data, 1, 1000);
        Write(Data, 1, 16_384);
        Write(Ping, 0, 8);
        Write(Data, 3, 50);
        await ReadAsync(cut);
        Assert.Equal(1000 + 16_384 + 50, _lobby.UnreadBytes);
        Visitor.End(1);
        Assert.Equal(50, _lobby.UnreadBytes);
    }

    [Theory]
    [InlineData(Ping, 8, true)]
    [InlineData(Headers, 16_000, true)]
    [InlineData(Data, 0, true)]
    [InlineData(Data, 1000, false)]
    public async Task Frames_without_content_are_few(byte type, int length, bool isOver)
    {
        for (int i = 0; i < 40; i++)
        {
            Write(type, 1, length);
        }

        await ReadAsync(100_000);
        Assert.Equal(isOver, Visitor.IsGone);
    }

    [Fact]
    public async Task A_client_may_send_more_of_them_than_a_stranger()
    {
        Assert.True(_lobby.TryAdmit(Visitor, new PublicKey(new byte[PublicKey.Length])));
        for (int i = 0; i < 100; i++)
        {
            Write(Ping, 0, 8);
        }

        await ReadAsync(100_000);
        Assert.False(Visitor.IsGone);
        Write(Ping, 0, 8);
        await ReadAsync(100_000);
        for (int i = 0; i < 100; i++)
        {
            Write(Ping, 0, 8);
        }

        await ReadAsync(100_000);
        Assert.True(Visitor.IsGone);
    }

    [Fact]
    public async Task Streams_that_nobody_serves_are_bounded()
    {
        for (int stream = 1; stream < 2000; stream += 2)
        {
            Write(Data, stream, 40);
        }

        await ReadAsync(1_000_000);
        Assert.True(Visitor.IsGone);
    }

    private void Write(byte type, int stream, int length)
    {
        byte[] frame = new byte[9 + length];
        BinaryPrimitives.WriteInt32BigEndian(frame, length << 8);
        frame[3] = type;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        _pipe.Writer.Write(frame);
    }

    /// <summary>As Kestrel reads: everything that came, in pieces; now and then it leaves some for later.</summary>
    private async Task ReadAsync(int cut)
    {
        await _pipe.Writer.FlushAsync();
        while (_guard.TryRead(out ReadResult read))
        {
            long taken = Math.Min(cut, read.Buffer.Length);
            _guard.AdvanceTo(read.Buffer.GetPosition(taken));
            if (taken == read.Buffer.Length)
            {
                return;
            }
        }
    }
}
