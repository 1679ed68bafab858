namespace Bft.Storage;

/// <summary>A list that one thread appends to while any number read.</summary>
internal sealed class AppendList<T>
{
    private const int ChunkBits = 9;
    private const int ChunkLength = 1 << ChunkBits;
    private const int FirstLength = 1; // most streams of most publishers are short

    private T[][] _chunks = [new T[FirstLength]];
    private long _count;

    public long Count => Volatile.Read(ref _count);

    /// <param name="index">Below a <see cref="Count"/> that the caller has read.</param>
    public T this[long index] => Volatile.Read(ref Volatile.Read(ref _chunks)[index >> ChunkBits])[index & (ChunkLength - 1)];

    /// <summary>Puts another item in place of one. Who reads meanwhile gets the one or the other, whole.</summary>
    public void Replace(long index, T item)
    {
        T[][] chunks = _chunks;
        T[] items = [.. chunks[index >> ChunkBits]];
        items[index & (ChunkLength - 1)] = item;
        Volatile.Write(ref chunks[index >> ChunkBits], items);
    }

    public void Add(T item)
    {
        int chunk = (int)(_count >> ChunkBits);
        int offset = (int)(_count & (ChunkLength - 1));
        T[][] chunks = _chunks;
        if (chunk == chunks.Length)
        {
            Array.Resize(ref chunks, 2 * chunk);
        }

        if (chunks[chunk] is not { } items)
        {
            chunks[chunk] = new T[ChunkLength];
        }
        else if (offset == items.Length)
        {
            // Readers of the old array go on with it: what they may read in it stays.
            Array.Resize(ref items, Math.Min(4 * offset, ChunkLength));
            chunks[chunk] = items;
        }

        chunks[chunk][offset] = item;
        Volatile.Write(ref _chunks, chunks);
        Volatile.Write(ref _count, _count + 1);
    }
}
