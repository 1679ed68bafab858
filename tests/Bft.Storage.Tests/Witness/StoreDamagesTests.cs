using Bft.Crypto;
using Bft.Protocol.Model;

namespace Bft.Storage.Tests;

public sealed class StoreDamagesTests
{
    private static readonly StreamId Stream = new(Sha256.Hash("a stream"u8));
    private readonly StoreDamages _damages = new();

    [Fact]
    public void What_is_remembered_is_bounded()
    {
        const int PartsMax = 64 * 1024;
        for (int i = 0; i <= PartsMax; i++)
        {
            _damages.Add(Part(i));
        }

        Assert.Equal(PartsMax, _damages.Count);
        Assert.False(_damages.Contains(Part(PartsMax)));
        _damages.Remove(Part(0));
        _damages.Add(Part(PartsMax));
        Assert.True(_damages.Contains(Part(PartsMax)));
    }

    [Fact]
    public void Slots_in_a_row_are_one_order_and_certificates_are_one_each()
    {
        foreach (int sequence in new[] { 3, 4, 5, 7 })
        {
            _damages.Add(Part(sequence));
            _damages.Add(Part(sequence) with { IsCertificate = true });
        }

        Assert.Equal((Part(3), new Sequence(5)), _damages.After(default, slotsMax: 10));
        Assert.Equal((Part(3), new Sequence(4)), _damages.After(default, slotsMax: 2));
        Assert.Equal((Part(7), new Sequence(7)), _damages.After(Part(5), slotsMax: 10));

        DamagedPart certificate = Part(3) with { IsCertificate = true };
        Assert.Equal((certificate, new Sequence(3)), _damages.After(Part(7), slotsMax: 10));
    }

    private static DamagedPart Part(int sequence) => new(Stream, new Sequence((ulong)sequence));
}
