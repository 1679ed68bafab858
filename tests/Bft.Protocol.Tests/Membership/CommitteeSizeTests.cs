using Bft.Protocol.Membership;

namespace Bft.Protocol.Tests.Membership;

public sealed class CommitteeSizeTests
{
    public static TheoryData<int> Sizes => [.. Enumerable.Range(CommitteeSize.Min, CommitteeSize.Max - CommitteeSize.Min + 1)];

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Any_two_quorums_share_a_correct_witness(int count)
    {
        CommitteeSize size = new(count);

        Assert.True((2 * size.Quorum) - count > size.FaultyMax);
        // The smallest that does: one fewer would let two quorums share faulty witnesses alone.
        Assert.False((2 * (size.Quorum - 1)) - count > size.FaultyMax);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Correct_witnesses_alone_form_a_quorum(int count)
    {
        CommitteeSize size = new(count);

        Assert.True(size.Responsive >= size.Quorum);
        Assert.True(count >= (3 * size.FaultyMax) + 1);
        Assert.False(count >= (3 * (size.FaultyMax + 1)) + 1, "f is the largest that n allows");
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void A_quorum_holds_f_plus_1_correct_witnesses(int count)
    {
        CommitteeSize size = new(count);

        Assert.True(size.Quorum - size.FaultyMax >= size.OneCorrect);
        Assert.Equal(size.FaultyMax + 1, size.OneCorrect);
        Assert.Equal(count - size.FaultyMax, size.Responsive);
    }

    [Theory]
    [InlineData(4, 1, 3)]
    [InlineData(5, 1, 4)]
    [InlineData(6, 1, 4)]
    [InlineData(7, 2, 5)]
    [InlineData(8, 2, 6)]
    [InlineData(9, 2, 6)]
    [InlineData(10, 3, 7)]
    [InlineData(64, 21, 43)]
    public void Known_sizes(int count, int faulty, int quorum)
    {
        Assert.Equal(faulty, new CommitteeSize(count).FaultyMax);
        Assert.Equal(quorum, new CommitteeSize(count).Quorum);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(65)]
    public void Other_sizes_are_refused(int count) => Assert.Throws<ArgumentOutOfRangeException>(() => new CommitteeSize(count));

    [Fact]
    public void Default_is_no_committee() => Assert.Throws<InvalidOperationException>(() => default(CommitteeSize).Quorum);
}
