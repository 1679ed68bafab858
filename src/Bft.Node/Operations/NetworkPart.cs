using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Bft.Node;

/// <summary>What is counted as one address: an IPv4 address, or the /64 of an IPv6 one, of which one host has as many addresses as it likes.</summary>
internal readonly record struct NetworkPart(ulong Value)
{
    private const ulong IPv4 = 0x0000_ffff_0000_0000;

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

    public override string ToString() => Value >> 32 == IPv4 >> 32
        ? new IPAddress(BinaryPrimitives.ReverseEndianness(unchecked((uint)Value))).ToString()
        : $"{Value >> 48:x}:{(Value >> 32) & 0xffff:x}:{(Value >> 16) & 0xffff:x}:{Value & 0xffff:x}::/64";
}
