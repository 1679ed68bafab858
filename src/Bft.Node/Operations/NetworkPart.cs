using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Bft.Node;

/// <summary>What is counted as one address: an IPv4 address, or the /64 of an IPv6 one, of which one host has as many addresses as it likes; of a Unix socket, the user at the other end.</summary>
internal readonly record struct NetworkPart(ulong Value)
{
    private const ulong IPv4 = 0x0000_ffff_0000_0000;
    private const ulong LocalUser = 0x0000_fffe_0000_0000; // no /64 that is routed anywhere

    public static NetworkPart Of(EndPoint? remote)
    {
        if (remote is not IPEndPoint { Address: { } address })
        {
            return default;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        return address.AddressFamily == AddressFamily.InterNetwork
            ? new NetworkPart(IPv4 | BinaryPrimitives.ReadUInt32BigEndian(bytes))
            : new NetworkPart(BinaryPrimitives.ReadUInt64BigEndian(bytes));
    }

    /// <summary>It is on this host, at the other end of the Unix socket.</summary>
    public bool IsLocal => Value >> 32 == LocalUser >> 32;

    public static NetworkPart OfUser(uint user) => new(LocalUser | user);

    public override string ToString() => IsLocal
        ? $"unix:user-{unchecked((uint)Value)}"
        : Value >> 32 == IPv4 >> 32
        ? new IPAddress(BinaryPrimitives.ReverseEndianness(unchecked((uint)Value))).ToString()
        : $"{Value >> 48:x}:{(Value >> 32) & 0xffff:x}:{(Value >> 16) & 0xffff:x}:{Value & 0xffff:x}::/64";
}
