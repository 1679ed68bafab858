using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Bft.Protocol.Model;

/// <summary>Something that is kept of a stream.</summary>
internal interface IOfStream
{
    StreamId Id { get; }
}

/// <summary>One item of each stream, in the order of their ids. An item costs little more than its reference: there may be very many.</summary>
/// <remarks>
/// <para>Cut into parts by an id's first byte: a newcomer moves those of its part alone. Its next four bytes are beside the item: a search among many looks at no item but the right one.</para>
/// <para>One thread changes it; any number may read meanwhile. What comes last in a part takes the place of a null, for all else there is a new part. So a reader finds what was there when it began, and perhaps what came since.</para>
/// </remarks>
internal sealed class StreamTable<T> : IEnumerable<T>
    where T : class, IOfStream
{
    public const int Parts = 256;

    private static readonly TablePart Empty = new([], []);
    private readonly TablePart?[] _parts = new TablePart?[Parts];

    public int Count { get; private set; }

    public T this[StreamId stream] => TryGetValue(stream, out T? item) ? item : throw new KeyNotFoundException($"There is no stream {stream}.");

    public static int PartOf(StreamId stream) => (int)(stream.Digest.Prefix >> 56);

    public bool TryGetValue(StreamId stream, [NotNullWhen(true)] out T? item)
    {
        (_parts[PartOf(stream)] ?? Empty).Find(stream, out item);
        return item is not null;
    }

    public T? GetValueOrDefault(StreamId stream) => TryGetValue(stream, out T? item) ? item : null;

    /// <returns>False when the stream has its item already.</returns>
    public bool TryAdd(T item)
    {
        ref TablePart? part = ref _parts[PartOf(item.Id)];
        part ??= Empty;
        int at = part.Find(item.Id, out T? other);
        if (other is not null)
        {
            return false;
        }

        part = part.With(item, at);
        Count++;
        return true;
    }

    public bool Remove(StreamId stream)
    {
        ref TablePart? part = ref _parts[PartOf(stream)];
        int at = (part ?? Empty).Find(stream, out T? item);
        if (item is null)
        {
            return false;
        }

        part = part!.Without(at);
        Count--;
        return true;
    }

    public void Clear()
    {
        if (Count > 0)
        {
            Array.Clear(_parts);
            Count = 0;
        }
    }

    /// <summary>The items of a part.</summary>
    public ReadOnlySpan<T> Part(int part) => (_parts[part] ?? Empty).Items;

    /// <summary>The items without the first ones; whole parts are skipped.</summary>
    public IEnumerable<T> From(int skipped)
    {
        int part = 0;
        for (; part < Parts && skipped >= Part(part).Length; part++)
        {
            skipped -= Part(part).Length;
        }

        return _parts.Skip(part).SelectMany(static of => (of ?? Empty).All).Skip(skipped);
    }

    public IEnumerator<T> GetEnumerator()
    {
        foreach (TablePart? part in _parts)
        {
            for (int i = 0; part?[i] is { } item; i++)
            {
                yield return item;
            }
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Items in order, then nulls; of each the key beside it. A key whose item is not there yet, or the other way round, is nobody's.</summary>
    private sealed class TablePart(uint[] keys, T?[] items)
    {
        public T? this[int at] => at < items.Length ? items[at] : null;

        public IEnumerable<T> All => items.TakeWhile(static item => item is not null)!;

        public ReadOnlySpan<T> Items
        {
            get
            {
                int count = items.Length;
                while (count > 0 && items[count - 1] is null)
                {
                    count--;
                }

                return new ReadOnlySpan<T>(items!, 0, count);
            }
        }

        /// <summary>The item, and its place; where it would stand when there is none.</summary>
        public int Find(StreamId stream, out T? item)
        {
            uint key = KeyOf(stream);
            int low = 0;
            int high = keys.Length;
            while (low < high)
            {
                int middle = (low + high) / 2;
                (low, high) = keys[middle] < key ? (middle + 1, high) : (low, middle);
            }

            for (; low < keys.Length && keys[low] == key && items[low] is { } found && found.Id.CompareTo(stream) is var order and <= 0; low++)
            {
                if (order == 0)
                {
                    item = found;
                    return low;
                }
            }

            item = null;
            return low;
        }

        public TablePart With(T item, int at)
        {
            uint key = KeyOf(item.Id);
            if (this[at] is null && at < items.Length)
            {
                (items[at], keys[at]) = (item, key);
                return this;
            }

            ReadOnlySpan<T> old = Items;
            int length = old.Length < items.Length ? items.Length : old.Length + 1 + (old.Length / 4);
            uint[] newKeys = new uint[length];
            T?[] newItems = new T?[length];
            old[..at].CopyTo(newItems!);
            old[at..].CopyTo(newItems.AsSpan(at + 1)!);
            newItems[at] = item;
            keys.AsSpan(0, at).CopyTo(newKeys);
            keys.AsSpan(at, old.Length - at).CopyTo(newKeys.AsSpan(at + 1));
            newKeys[at] = key;
            newKeys.AsSpan(old.Length + 1).Fill(uint.MaxValue);
            return new TablePart(newKeys, newItems);
        }

        public TablePart Without(int at) => new([.. keys[..at], .. keys[(at + 1)..]], [.. items[..at], .. items[(at + 1)..]]);

        private static uint KeyOf(StreamId stream) => unchecked((uint)(stream.Digest.Prefix >> 24));
    }
}
