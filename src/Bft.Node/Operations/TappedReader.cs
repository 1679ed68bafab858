using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Bft.Node;

/// <summary>A pipe's reader that lets a derived class see what arrives and what is taken. It copies nothing and holds nothing back.</summary>
internal abstract class TappedReader(PipeReader inner) : PipeReader
{
    private ReadOnlySequence<byte> _buffer;
    private long _left;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        ValueTask<ReadResult> read = inner.ReadAsync(cancellationToken);
        return read.IsCompletedSuccessfully ? new ValueTask<ReadResult>(Seen(read.Result)) : AwaitAsync(read);
    }

    public override bool TryRead(out ReadResult result)
    {
        bool any = inner.TryRead(out result);
        if (any)
        {
            Seen(result);
        }

        return any;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        long left = _buffer.Slice(consumed).Length;
        OnTaken(_buffer.Length - left, left);
        _left = left;
        _buffer = default;
        inner.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    /// <summary>Bytes that were not there at the last read.</summary>
    protected abstract void OnArrived(in ReadOnlySequence<byte> bytes);

    /// <param name="taken">Bytes that the reader is done with.</param>
    /// <param name="left">Bytes that it saw and wants to see again, with more.</param>
    protected abstract void OnTaken(long taken, long left);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> AwaitAsync(ValueTask<ReadResult> read) => Seen(await read.ConfigureAwait(false));

    private ReadResult Seen(in ReadResult result)
    {
        _buffer = result.Buffer;
        if (_buffer.Length > _left)
        {
            OnArrived(_buffer.Slice(_left));
        }

        return result;
    }
}
