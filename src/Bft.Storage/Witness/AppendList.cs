namespace Bft.Storage;

/// <summary>A list that one thread appends to while any number read.</summary>
internal class AppendList<T>
{
    private const int ChunkBits = 9;
    private const int ChunkLength = 1 << ChunkBits;

    // T[] as long as one chunk is enough, as for most streams of most publishers, and no larger than it must be; T[][] beyond.
    private object _chunks = Array.Empty<T>();
    private long _count;

    public long Count => Volatile.Read(ref _count);

    /// <param name="index">Below a <see cref="Count"/> that the caller has read.</param>
    public T this[long index] => Volatile.Read(ref _chunks) is var chunks && chunks is T[] only ? only[index] : Volatile.Read(ref ((T[][])chunks)[index >> ChunkBits])[index & (ChunkLength - 1)];

    /// <summary>Puts another item in place of one. Who reads meanwhile gets the one or the other, whole.</summary>
    public void Replace(long index, T item)
    {
        T[] items = [.. _chunks as T[] ?? ((T[][])_chunks)[index >> ChunkBits]];
        items[index & (ChunkLength - 1)] = item;
        if (_chunks is T[][] chunks)
        {
            Volatile.Write(ref chunks[index >> ChunkBits], items);
        }
        else
        {
            Volatile.Write(ref _chunks, items);
        }
    }

    public void Add(T item)
    {
        int chunk = (int)(_count >> ChunkBits);
        int offset = (int)(_count & (ChunkLength - 1));
        if (chunk == 0)
        {
            T[] only = (T[])_chunks;
            if (offset == only.Length)
            {
                // Readers of the old array go on with it: what they may read in it stays.
                Array.Resize(ref only, Math.Clamp(4 * offset, 1, ChunkLength));
            }

            only[offset] = item;
            Volatile.Write(ref _chunks, only);
        }
        else
        {
            T[][] chunks = _chunks as T[][] ?? [(T[])_chunks];
            if (chunk == chunks.Length)
            {
                Array.Resize(ref chunks, 2 * chunk);
            }

            (chunks[chunk] ??= new T[ChunkLength])[offset] = item;
            Volatile.Write(ref _chunks, chunks);
        }

        Volatile.Write(ref _count, _count + 1);
    }
}
