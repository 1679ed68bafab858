namespace Bft.Client.Tests.Subscribing;

public sealed class ByteCreditTests
{
    private readonly ByteCredit _credit = new(max: 100);

    [Fact]
    public void R2_what_the_role_holds_stops_reading_for_half_a_second_and_R6_what_moves_for_as_long_as_it_moves()
    {
        _credit.SetHeld(100);
        Assert.False(_credit.HasRoom(heldForMs: 499));
        Assert.True(_credit.HasRoom(heldForMs: 500));

        _credit.Add(99);
        Assert.True(_credit.HasRoom(heldForMs: 500));
        _credit.Add(1);
        Assert.False(_credit.HasRoom(heldForMs: long.MaxValue));
        Assert.Equal(200, _credit.Bytes);

        _credit.Remove(1);
        _credit.SetHeld(0);
        Assert.True(_credit.HasRoom(heldForMs: 0));
    }

    [Fact]
    public async Task R6_whoever_waits_reads_on_when_bytes_are_taken()
    {
        _credit.Add(150);
        Task waiting = _credit.WaitForRoomAsync(CancellationToken.None).AsTask();
        _credit.Remove(50);
        Assert.False(waiting.IsCompleted);

        _credit.Remove(1);

        await waiting.WaitAsync(TimeSpan.FromMinutes(1));
    }
}
