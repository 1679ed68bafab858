using Bft.Crypto;
using FsCheck;
using FsCheck.Fluent;

namespace Bft.Node.Tests.Ingress;

public sealed class FairOrderTests
{
    private const long BytesMax = 1000;
    private const int CostMax = 256; // of one turn, as costs below are bytes

    [Fact]
    public void Parties_that_always_want_more_are_served_by_their_weights()
    {
        Prop.ForAll<byte[]>(costs =>
        {
            int[] weights = [1, 2, 4];
            Crowd crowd = new(weights, costs);
            crowd.Serve(2000);
            return InShares(crowd.Served, weights);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_party_with_one_call_loses_nothing_by_asking_only_when_its_last_turn_is_done()
    {
        int[] weights = [1, 4];
        Crowd crowd = new(weights, [100]);
        FairOrder<int> order = crowd.Order;
        for (int step = 0; step < 5000; step++)
        {
            // Party 0 always has ten turns waiting, party 1 asks for its next one when the last is being served.
            crowd.AskUpTo(0, 10);
            crowd.AskUpTo(1, 1);
            crowd.ServeOne();
        }

        Assert.True(InShares(crowd.Served, weights), string.Join(' ', crowd.Served));
        Assert.Equal(10, order.WaitingCount);
    }

    [Fact]
    public void A_party_whose_turns_end_late_and_out_of_order_keeps_its_share()
    {
        // Four at a time, ended at random. Party 1 has two calls and asks again when one is done, so that mostly a turn of its own is under way that began
        // before those of party 0: from the latest beginning on it would get seven parts to ten.
        FairOrder<int> order = new() { BytesMax = 4 };
        Random random = new(1);
        List<FairOrder<int>.Turn> serving = [];
        long[] served = new long[2];
        for (int i = 0; i < 20; i++)
        {
            order.Ask(KeyOf(0), 1, 1, 1, 0);
        }

        order.Ask(KeyOf(1), 1, 1, 1, 1);
        order.Ask(KeyOf(1), 1, 1, 1, 1);
        for (int step = 0; step < 4000; step++)
        {
            while (order.Next() is { } next)
            {
                serving.Add(next);
            }

            FairOrder<int>.Turn done = serving[random.Next(serving.Count)];
            serving.Remove(done);
            served[done.Item]++;
            order.End(done);
            order.Ask(KeyOf(done.Item), 1, 1, 1, done.Item);
        }

        Assert.InRange(served[1], 0.9 * served[0], 1.1 * served[0]);
    }

    [Fact]
    public void Whoever_was_idle_saved_nothing_up()
    {
        Prop.ForAll<byte[], byte>((costs, idle) =>
        {
            Crowd crowd = new([1, 1], costs);
            for (int step = 0; step < 50 + idle; step++)
            {
                crowd.AskUpTo(0, 3);
                crowd.ServeOne();
            }

            long before = crowd.Served[0];
            crowd.Serve(400);
            return InShares([crowd.Served[0] - before, crowd.Served[1]], [1, 1]);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Whoever_wants_little_does_not_wait_for_those_who_want_much()
    {
        // 99 that always have four turns of 200 waiting, which makes their turns begin and end alike; one that has a turn of 20 once in a while.
        Crowd crowd = new([.. Enumerable.Repeat(1, 100)], [199]);
        for (int round = 0; round < 200; round++)
        {
            for (int step = 0; step < 500 + round; step++)
            {
                for (int greedy = 1; greedy < 100; greedy++)
                {
                    crowd.AskUpTo(greedy, 4);
                }

                crowd.ServeOne();
            }

            FairOrder<int>.Turn modest = crowd.Ask(0, 20);
            Assert.Same(modest, crowd.ServeOne());
        }
    }

    [Fact]
    public void Nothing_is_starved_and_nobody_waits_while_there_is_room()
    {
        Prop.ForAll<byte[], byte[]>(IsServed).QuickCheckThrowOnFailure();
        Assert.True(IsServed([255, 0, 0, 0], []));

        static bool IsServed(byte[] costs, byte[] actions)
        {
            int[] weights = [1, 3, 1000];
            Crowd crowd = new(weights, costs);
            FairOrder<int>.Turn first = crowd.Ask(0);

            // Turns that cost the others as much by their weights end before it, and a little more, as ends are rounded: that many bytes, which may be a hundred thousand turns when it is large and they are small.
            double most = (1.05 * weights.Sum() * first.Bytes) + (weights.Length * CostMax);
            bool isServed = false;
            for (int step = 0; step < actions.Length + 3000 || !isServed; step++)
            {
                byte action = step < actions.Length ? actions[step] : (byte)2;
                crowd.AskUpTo(action % 3, 1 + (action % 5));
                isServed |= crowd.ServeOne() == first;
                if (crowd.Order.Bytes >= (2 * BytesMax) + CostMax || (!isServed && crowd.Served.Sum() > most))
                {
                    return false;
                }
            }

            return true;
        }
    }

    [Fact]
    public void Turns_of_one_party_are_served_as_they_came_and_what_is_withdrawn_is_not_served()
    {
        FairOrder<int> order = new() { BytesMax = BytesMax };
        PublicKey party = KeyOf(0);
        FairOrder<int>.Turn[] turns = [.. Enumerable.Range(0, 6).Select(item => order.Ask(party, 1, 10, 10, item))];
        order.End(turns[2]);
        order.End(turns[4]);
        Assert.Equal((0, 40), (order.Bytes, order.WaitingBytes));

        List<int> served = [];
        while (order.Next() is { } next)
        {
            served.Add(next.Item);
        }

        Assert.Equal([0, 1, 3, 5], served);
        Assert.Equal((40, 0), (order.Bytes, order.WaitingBytes));
        Array.ForEach(turns, order.End);
        Assert.Equal(0, order.Bytes);
    }

    [Fact]
    public void A_turn_stays_behind_the_one_that_it_comes_after_though_it_is_small()
    {
        FairOrder<string> order = new() { BytesMax = 1, AheadMax = 1_000_000 };
        PublicKey party = KeyOf(0);
        FairOrder<string>.Turn large = order.Ask(party, 1, 10_000, 10_000, "large");
        order.Ask(party, 1, 10, 10, "small, after it", large);
        order.Ask(party, 1, 10, 10, "small");

        Assert.Equal(["small", "large", "small, after it"], Enumerable.Range(0, 3).Select(_ => Served(order)));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(500, 5)]
    public void A_party_whose_next_turn_came_too_late_catches_up_so_much_and_no_more(long behind, int caughtUp)
    {
        FairOrder<int> order = new() { BytesMax = 1, BehindMax = behind };
        Ask(1);
        for (int i = 0; i < 50; i++)
        {
            Ask(0);
        }

        Assert.Equal(1, Served(order));
        for (int i = 0; i < 30; i++)
        {
            Assert.Equal(0, Served(order)); // party 1 has nothing waiting
        }

        for (int i = 0; i < 20; i++)
        {
            Ask(1);
        }

        int first = 0;
        while (Served(order) == 1)
        {
            first++;
        }

        Assert.InRange(first, caughtUp, caughtUp + 1);
        Ask(2);
        Assert.InRange(Enumerable.Range(0, 4).Count(_ => Served(order) == 2), 1, 1); // a party that had no turn yet begins at the present

        void Ask(int party) => order.Ask(KeyOf(party), 1, 100, 100, party);
    }

    [Fact]
    public void When_nobody_wants_anything_all_are_alike_from_there_on()
    {
        FairOrder<int> order = new() { BytesMax = 10_000 };
        FairOrder<int>.Turn[] much = [.. Enumerable.Range(0, 100).Select(_ => order.Ask(KeyOf(0), 1, 100, 100, 0))];
        Assert.All(much, turn => Assert.Same(turn, order.Next()));
        Array.ForEach(much, order.End);

        order.BytesMax = 1;
        for (int i = 0; i < 10; i++)
        {
            order.Ask(KeyOf(0), 1, 100, 100, 0);
            order.Ask(KeyOf(1), 1, 100, 100, 1);
        }

        Assert.Equal(2, Enumerable.Range(0, 4).Count(_ => Served(order) == 0));
    }

    [Fact]
    public void The_present_never_goes_back_and_a_party_begins_there_or_where_its_last_turn_ended()
    {
        FairTime time = new() { BehindMax = 2 };
        time.AdvanceTo(10_000);
        time.AdvanceTo(5_000);
        Assert.Equal(10_000, time.Now);
        Assert.Equal(10_000, time.StartOf(KeyOf(0)));

        time.Charge(KeyOf(0), 12_000);
        time.Charge(KeyOf(1), 9_000);
        time.Charge(KeyOf(2), 1_000);
        Assert.Equal([12_000, 9_000, 10_000 - (2 * 1024)], Enumerable.Range(0, 3).Select(party => (long)time.StartOf(KeyOf(party))));
        Assert.Equal(10_000 + (3 * 1024), FairTime.EndOf(10_000, cost: 12, weight: 4));
        time.OnIdle();
        Assert.All(Enumerable.Range(0, 3), party => Assert.Equal(time.Now, time.StartOf(KeyOf(party))));
    }

    [Fact]
    public void Two_turns_are_served_at_a_time_however_large_and_a_third_when_one_ends()
    {
        FairOrder<int> order = new() { BytesMax = BytesMax };
        foreach (int party in Enumerable.Range(0, 3))
        {
            order.Ask(KeyOf(party), 1, 5000, 5000, party);
        }

        FairOrder<int>.Turn? first = order.Next();
        Assert.Equal((0, 1), (first?.Item, order.Next()?.Item));
        Assert.Null(order.Next());
        order.End(first!);
        Assert.Equal(2, order.Next()?.Item);
    }

    [Fact]
    public void A_small_turn_that_is_next_does_not_wait_for_large_ones_until_as_much_again_is_served()
    {
        const long Small = 100;
        FairOrder<int> order = new() { BytesMax = BytesMax, AheadMax = 1 };
        for (int i = 0; i < 2; i++)
        {
            order.Ask(KeyOf(0), 1, BytesMax / 2, BytesMax / 2, 0);
            Assert.NotNull(order.Next());
        }

        order.Ask(KeyOf(1), 1, BytesMax / 2, BytesMax / 2, 1);
        Assert.Null(order.Next());

        // From here on somebody who was idle wants little, often.
        int served = 0;
        for (; served < 1000; served++)
        {
            order.Ask(KeyOf(2), 1000, 1, Small, 2);
            if (order.Next() is null)
            {
                break;
            }
        }

        Assert.Equal(BytesMax / Small, served);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5000)]
    public void Small_turns_go_first_until_their_party_is_so_far_ahead_and_then_it_gets_its_share(long ahead)
    {
        FairOrder<int> order = new() { BytesMax = 1, AheadMax = ahead };
        long[] served = [0, 0];
        for (int step = 0; step < 5000; step++)
        {
            // Both want more all the time: party 0 in large turns, party 1 in small ones.
            order.Ask(KeyOf(0), 1, 100, 100, 0);
            for (int call = 0; call < 5; call++)
            {
                order.Ask(KeyOf(1), 1, 20, 20, 1);
            }

            FairOrder<int>.Turn next = order.Next()!;
            served[next.Item] += next.Bytes;
            order.End(next);
        }

        Assert.InRange(served[1] - served[0], ahead - 300, ahead + 300);
    }

    /// <summary>By the theorem for several at a time: no two parties are further apart than one turn of each, for each that is served at a time.</summary>
    private static bool InShares(long[] served, int[] weights)
    {
        double[] shares = [.. served.Zip(weights, (bytes, weight) => (double)bytes / weight)];
        double apart = (1 + (BytesMax / 16.0)) * (CostMax + CostMax);
        return shares.Max() - shares.Min() <= Math.Min(apart, 0.05 * shares.Max() + (2 * BytesMax) + (4 * CostMax)); // so much is served at a time
    }

    /// <summary>Gives the next turn, and ends it.</summary>
    private static T Served<T>(FairOrder<T> order)
    {
        FairOrder<T>.Turn next = order.Next()!;
        order.End(next);
        return next.Item;
    }

    private static PublicKey KeyOf(int party)
    {
        byte[] key = new byte[PublicKey.Length];
        key[0] = (byte)(255 - party);
        return new PublicKey(key);
    }

    /// <summary>Parties in front of a server that ends turns in the order in which it began them.</summary>
    private sealed class Crowd(int[] weights, byte[] costs)
    {
        private readonly Queue<FairOrder<int>.Turn> _serving = new();
        private readonly int[] _waiting = new int[weights.Length];
        private int _asked;

        public FairOrder<int> Order { get; } = new() { BytesMax = BytesMax };

        /// <summary>Unit: bytes, by party.</summary>
        public long[] Served { get; } = new long[weights.Length];

        public FairOrder<int>.Turn Ask(int party, int? given = null)
        {
            int cost = given ?? (costs.Length == 0 ? 100 : 1 + costs[_asked++ % costs.Length]);
            _waiting[party]++;
            return Order.Ask(KeyOf(party), weights[party], cost, cost, party);
        }

        public void AskUpTo(int party, int waiting)
        {
            while (_waiting[party] < waiting)
            {
                Ask(party);
            }
        }

        public void Serve(int steps)
        {
            for (int step = 0; step < steps; step++)
            {
                for (int party = 0; party < weights.Length; party++)
                {
                    AskUpTo(party, 2);
                }

                ServeOne();
            }
        }

        /// <summary>Begins the next turn, and ends the oldest when there is no room.</summary>
        public FairOrder<int>.Turn? ServeOne()
        {
            FairOrder<int>.Turn? next;
            while ((next = Order.Next()) is null && _serving.TryDequeue(out FairOrder<int>.Turn? oldest))
            {
                Assert.True(Order.WaitingCount == 0 || Order.Bytes >= BytesMax, "Somebody waits though there is room.");
                Order.End(oldest);
            }

            if (next is not null)
            {
                _waiting[next.Item]--;
                Served[next.Item] += next.Bytes;
                _serving.Enqueue(next);
            }

            return next;
        }
    }
}
