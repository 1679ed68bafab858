using Bft.Wire;

namespace Bft.Client;

/// <summary>A batch's body in pooled memory, shared by the role, the journal and one queue per witness; the last one gives it back.</summary>
internal sealed class SharedBody : IDisposable
{
    private readonly PooledBuffer _buffer;
    private int _references = 1;

    private SharedBody(PooledBuffer buffer) => _buffer = buffer;

    public Memory<byte> Memory => _buffer.Memory;

    /// <summary>A body with one reference, the caller's.</summary>
    public static SharedBody Rent(int length) => new(PooledBuffer.Rent(length));

    /// <summary>One more owner; each calls <see cref="Dispose"/> once. Never called: then the garbage collector has the memory.</summary>
    public SharedBody Share()
    {
        Interlocked.Increment(ref _references);
        return this;
    }

    public void Dispose()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            _buffer.Dispose();
        }
    }
}
