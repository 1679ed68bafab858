using System.Net;
using System.Net.Sockets;

namespace Bft.Bench.Floors;

/// <summary>Two ends of a TCP connection of this machine in one thread's hands: what it costs the kernel to take bytes from one process to another, and nothing more.</summary>
internal sealed class LoopbackPair : IDisposable
{
    private const int PieceBytes = 32 * 1024; // below both socket buffers, so that neither call ever waits

    private readonly Socket _from = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly Socket _to;
    private readonly byte[] _taken = new byte[PieceBytes];

    public LoopbackPair()
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        _from.Connect(listener.LocalEndPoint!);
        _to = listener.Accept();
    }

    /// <summary>Sends the bytes and takes them.</summary>
    public void Cross(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            ReadOnlySpan<byte> piece = bytes[..Math.Min(bytes.Length, PieceBytes)];
            int sent = _from.Send(piece);
            for (int taken = 0; taken < sent;)
            {
                taken += _to.Receive(_taken.AsSpan(0, sent - taken));
            }

            bytes = bytes[sent..];
        }
    }

    public void Dispose()
    {
        _from.Dispose();
        _to.Dispose();
    }
}
