namespace Bft.Protocol.Bodies;

/// <summary>Which positions of a batch are taken. Costs nothing while runs come in order, a bit per message once they do not.</summary>
internal struct PositionSet(int size)
{
    private readonly uint _size = (uint)size;
    private uint _prefix;
    private uint _taken;
    private ulong[]? _bits;

    public readonly bool IsFull => _taken == _size;

    /// <summary>Takes a run; false when it is empty, reaches past the end, or holds a taken position.</summary>
    public bool TryTake(uint first, uint count)
    {
        if (count == 0 || first >= _size || count > _size - first)
        {
            return false;
        }

        if (_bits is null && first == _prefix)
        {
            _prefix += count;
            _taken += count;
            return true;
        }

        _bits ??= WithPrefix();
        for (uint position = first; position < first + count; position++)
        {
            ref ulong word = ref _bits[position >> 6];
            ulong bit = 1UL << (int)(position & 63);
            if ((word & bit) != 0)
            {
                return false;
            }

            word |= bit;
        }

        _taken += count;
        return true;
    }

    private readonly ulong[] WithPrefix()
    {
        ulong[] bits = new ulong[(_size + 63) >> 6];
        for (uint position = 0; position < _prefix; position++)
        {
            bits[position >> 6] |= 1UL << (int)(position & 63);
        }

        return bits;
    }
}
