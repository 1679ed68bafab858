namespace Bft.Sim.SmallScope;

/// <summary>Global states visited, each with the one it was first reached from. Any number of threads; 32 bytes a state at a load of three quarters.</summary>
internal sealed class VisitedStates
{
    private const int ShardCount = 64;
    private readonly Shard[] _shards = [.. Enumerable.Range(0, ShardCount).Select(_ => new Shard())];

    public long Count => _shards.Sum(shard => (long)shard.Count);

    /// <summary>True when the state is new.</summary>
    public bool Add(UInt128 state, UInt128 from)
    {
        ulong hash = HashOf(state);
        Shard shard = _shards[hash % ShardCount];
        lock (shard)
        {
            return shard.Add(state, from, hash / ShardCount);
        }
    }

    /// <summary>Where a state was first reached from; the first state was reached from itself.</summary>
    public UInt128 OriginOf(UInt128 state)
    {
        ulong hash = HashOf(state);
        return _shards[hash % ShardCount].OriginOf(state, hash / ShardCount);
    }

    private static ulong HashOf(UInt128 state)
    {
        unchecked
        {
            ulong high = Math.BigMul((ulong)state ^ 0x9E3779B97F4A7C15, (ulong)(state >> 64) ^ 0xD6E8FEB86659FD93, out ulong low);
            return (high ^ low ^ (ulong)state) * 0x9FB21C651E98DF25 >> 3;
        }
    }

    private sealed class Shard
    {
        // A slot is free when its state is all ones, which packs nothing.
        private UInt128[] _states = Free(1 << 8);
        private UInt128[] _origins = new UInt128[1 << 8];

        public int Count { get; private set; }

        public bool Add(UInt128 state, UInt128 from, ulong hash)
        {
            int at = Find(_states, state, hash);
            if (_states[at] == state)
            {
                return false;
            }

            _states[at] = state;
            _origins[at] = from;
            Count++;
            if (Count > _states.Length / 4 * 3)
            {
                Grow();
            }

            return true;
        }

        public UInt128 OriginOf(UInt128 state, ulong hash) => _origins[Find(_states, state, hash)];

        private static int Find(UInt128[] states, UInt128 state, ulong hash)
        {
            int mask = states.Length - 1;
            int at = (int)(hash & (ulong)mask);
            while (states[at] != state && states[at] != UInt128.MaxValue)
            {
                at = (at + 1) & mask;
            }

            return at;
        }

        private static UInt128[] Free(int length)
        {
            UInt128[] states = new UInt128[length];
            Array.Fill(states, UInt128.MaxValue);
            return states;
        }

        private void Grow()
        {
            UInt128[] states = Free(2 * _states.Length);
            UInt128[] origins = new UInt128[states.Length];
            for (int i = 0; i < _states.Length; i++)
            {
                if (_states[i] != UInt128.MaxValue)
                {
                    int at = Find(states, _states[i], HashOf(_states[i]) / ShardCount);
                    states[at] = _states[i];
                    origins[at] = _origins[i];
                }
            }

            _states = states;
            _origins = origins;
        }
    }
}
