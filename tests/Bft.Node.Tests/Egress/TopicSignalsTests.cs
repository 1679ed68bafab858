using Bft.Protocol.Model;

namespace Bft.Node.Tests.Egress;

public sealed class TopicSignalsTests
{
    private static readonly Topic Prices = new("prices");
    private readonly TopicSignals _signals = new();

    [Fact]
    public void All_subscriptions_of_a_topic_wake_and_no_others()
    {
        using TopicSignals.Watch one = _signals.WatchOf(Prices);
        using TopicSignals.Watch two = _signals.WatchOf(Prices);
        using TopicSignals.Watch other = _signals.WatchOf(new Topic("rates"));
        Task[] waiting = [one.Signal.Next, two.Signal.Next, other.Signal.Next];
        _signals.Raise(Prices);
        Assert.Equal([true, true, false], waiting.Select(task => task.IsCompleted));
    }

    [Fact]
    public void A_topic_is_forgotten_with_its_last_subscription_and_not_before()
    {
        TopicSignals.Watch one = _signals.WatchOf(Prices);
        TopicSignals.Watch two = _signals.WatchOf(Prices);
        one.Dispose();
        Task waiting = two.Signal.Next;
        _signals.Raise(Prices);
        Assert.True(waiting.IsCompleted);

        two.Dispose();
        using TopicSignals.Watch later = _signals.WatchOf(Prices);
        Assert.NotSame(two.Signal, later.Signal);
    }
}
