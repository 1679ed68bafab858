namespace Bft.Node.Tests.Driving;

public sealed class ByteBudgetTests
{
    private readonly ByteBudget _budget = new(max: 100);

    [Fact]
    public async Task Whoever_wants_much_is_not_overtaken_by_those_who_want_little()
    {
        IDisposable first = await Take(60);
        Task<IDisposable> much = Take(80);
        Task<IDisposable> little = Take(20);
        Assert.False(much.IsCompleted || little.IsCompleted);

        first.Dispose();

        await Task.WhenAll(much, little).WaitAsync(TimeSpan.FromMinutes(1));
        Assert.False(Take(1).IsCompleted);
    }

    [Fact]
    public async Task More_than_there_is_goes_alone()
    {
        Task<IDisposable> whole = Take(101);
        Assert.True(whole.IsCompletedSuccessfully);
        Task<IDisposable> next = Take(1);
        Assert.False(next.IsCompleted);

        (await whole).Dispose();
        await next.WaitAsync(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Whoever_gives_up_before_the_door_of_all_gives_back_what_it_took_of_its_own()
    {
        ByteBudget own = new(max: 100, _budget);
        IDisposable others = await Take(100);
        using CancellationTokenSource gone = new();
        Task<IDisposable> given = own.TakeAsync(100, gone.Token).AsTask();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);

        others.Dispose();

        Assert.True(own.TakeAsync(100, CancellationToken.None).AsTask().IsCompletedSuccessfully);
    }

    private Task<IDisposable> Take(int bytes) => _budget.TakeAsync(bytes, CancellationToken.None).AsTask();
}
