using System.Collections;
using System.Diagnostics.CodeAnalysis;
using Bft.Crypto;

namespace Bft.Protocol.Model;

/// <summary>Something that is kept of a stream.</summary>
internal interface IOfStream
{
    StreamId Id { get; }
}

/// <summary>One item of each stream, in the order of their ids. An item costs little more than its reference: there may be very many.</summary>
/// <remarks>Cut into parts by an id's first byte: a newcomer moves those of its part alone.</remarks>
internal sealed class StreamTable<T> : IEnumerable<T>
    where T : class, IOfStream
{
    public const int Parts = 256;

    private readonly List<T>?[] _parts = new List<T>?[Parts];

    public int Count { get; private set; }

    public T this[StreamId stream] => TryGetValue(stream, out T? item) ? item : throw new KeyNotFoundException($"There is no stream {stream}.");

    public static int PartOf(StreamId stream)
    {
        Span<byte> bytes = stackalloc byte[Digest.Length];
        stream.Digest.CopyTo(bytes);
        return bytes[0];
    }

    public bool TryGetValue(StreamId stream, [NotNullWhen(true)] out T? item)
    {
        item = Find(stream, out List<T>? part) is var at and >= 0 ? part![at] : null;
        return item is not null;
    }

    public T? GetValueOrDefault(StreamId stream) => TryGetValue(stream, out T? item) ? item : null;

    /// <returns>False when the stream has its item already.</returns>
    public bool TryAdd(T item)
    {
        int at = Find(item.Id, out List<T>? part);
        if (at >= 0)
        {
            return false;
        }

        (part ?? (_parts[PartOf(item.Id)] = new List<T>(1))).Insert(~at, item);
        Count++;
        return true;
    }

    public bool Remove(StreamId stream)
    {
        if (Find(stream, out List<T>? part) is not (var at and >= 0))
        {
            return false;
        }

        part!.RemoveAt(at);
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
    public IReadOnlyList<T> Part(int part) => _parts[part] ?? (IReadOnlyList<T>)[];

    /// <summary>The items without the first ones; whole parts are skipped.</summary>
    public IEnumerable<T> From(int skipped)
    {
        int part = 0;
        for (; part < Parts && skipped >= Part(part).Count; part++)
        {
            skipped -= Part(part).Count;
        }

        return _parts.Skip(part).SelectMany(items => items ?? []).Skip(skipped);
    }

    public IEnumerator<T> GetEnumerator()
    {
        foreach (List<T>? part in _parts)
        {
            foreach (T item in part ?? [])
            {
                yield return item;
            }
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The item's place in its part; the complement of where it would stand when there is none.</summary>
    private int Find(StreamId stream, out List<T>? part)
    {
        part = _parts[PartOf(stream)];
        int low = 0;
        int high = (part?.Count ?? 0) - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            int order = part![middle].Id.CompareTo(stream);
            if (order == 0)
            {
                return middle;
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return ~low;
    }
}
