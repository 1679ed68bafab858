using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Tests.Support;

namespace Bft.Protocol.Tests.Receiving;

public sealed class CursorTests
{
    [Fact]
    public void R3_a_cursor_is_what_was_encoded()
    {
        Cursor cursor = Sample();

        Assert.True(Cursor.TryParse(cursor.Encode(), out Cursor? read));
        Assert.Equal(cursor.Topic, read.Topic);
        Assert.Equal(cursor.Positions, read.Positions);
        Assert.Equal(cursor.Encode(), read.Encode());
    }

    [Fact]
    public void R3_streams_that_are_not_listed_begin_at_their_beginning()
    {
        using TestCluster cluster = new();

        Assert.Equal(default, new Cursor(new Topic("orders")).PositionOf(cluster.Stream(4).Id));
    }

    [Fact]
    public void A_copy_goes_its_own_way()
    {
        using TestCluster cluster = new();
        Cursor cursor = Sample();
        Cursor copy = cursor.Copy();

        copy.Advance(cluster.Stream(7).Append().Reference);

        Assert.NotEqual(cursor.Positions.Count, copy.Positions.Count);
    }

    [Fact]
    public void Truncated_extended_or_reordered_bytes_are_no_cursor()
    {
        byte[] bytes = Sample().Encode();
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.False(Cursor.TryParse(bytes.AsSpan(0, length), out _));
        }

        Assert.False(Cursor.TryParse([.. bytes, 0], out _));
        const int EntryLength = 76;
        byte[] swapped = [.. bytes[..^(2 * EntryLength)], .. bytes[^EntryLength..], .. bytes[^(2 * EntryLength)..^EntryLength]];
        Assert.False(Cursor.TryParse(swapped, out _));
    }

    private static Cursor Sample()
    {
        using TestCluster cluster = new();
        Cursor cursor = new(new Topic("orders"));
        cursor.Advance(cluster.Stream(0).Append().Reference);
        cursor.Advance(cluster.Stream(1).AppendMany(3)[2].Reference);
        cursor.Set(cluster.Stream(2).Id, new CursorPosition(new Sequence(9), MessagesTaken: 5));
        return cursor;
    }
}
