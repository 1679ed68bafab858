using System.Threading.Channels;
using Bft.Protocol.Model;
using Bft.Wire.Frames;

namespace Bft.Client;

/// <summary>What waits to be written to one witness. A slow or dead witness fills its own queue and nobody else's.</summary>
/// <remarks>
/// Bounded: batches that are not covered are at most B bytes (P4), each at most once; covered ones are dropped beyond the given bound, or the publisher's share of memory,
/// for the witness gets them from its peers (W8); other frames are some kilobytes, at most <see cref="OthersMax"/>.
/// </remarks>
internal sealed class SendQueue(long coveredBytesMax, MemoryShare memory)
{
    private const int OthersMax = 1024;

    private readonly Lock _gate = new();
    private readonly LinkedList<Entry> _entries = new();
    private readonly Dictionary<Slot, LinkedListNode<Entry>> _batches = []; // the batches in _entries
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(1);
    private long _bytes;
    private int _others;
    private bool _isOpen;

    /// <summary>A session began: what is added from now on is for it.</summary>
    public void Open()
    {
        lock (_gate)
        {
            _isOpen = true;
        }
    }

    /// <summary>The session ended: the role sends anew when the next one begins.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isOpen = false;
            foreach (Entry entry in _entries)
            {
                entry.Body?.Dispose();
            }

            _entries.Clear();
            _batches.Clear();
            _bytes = 0;
            _others = 0;
        }
    }

    /// <summary>Adds a frame without a body; dropped when the witness reads nothing: such frames are sent again by themselves.</summary>
    public void Add(IPublishRequest frame)
    {
        lock (_gate)
        {
            if (!_isOpen || _others >= OthersMax)
            {
                return;
            }

            _others++;
            _entries.AddLast(new Entry(frame, null, null));
        }

        _signal.Writer.TryWrite(true);
    }

    /// <summary>Adds a batch, unless it waits already.</summary>
    /// <param name="frame">The batch; its body's owner is a <see cref="SharedBody"/>, and is shared by this call when it is added.</param>
    /// <param name="slot">Its slot.</param>
    /// <param name="isCovered">Whether a batch in the queue is covered by now.</param>
    public void Add(BatchFrame frame, Slot slot, Predicate<Slot> isCovered)
    {
        lock (_gate)
        {
            if (!_isOpen || _batches.ContainsKey(slot))
            {
                return;
            }

            _batches.Add(slot, _entries.AddLast(new Entry(frame, slot, ((SharedBody)frame.Batch.BodyOwner!).Share())));
            _bytes += frame.Batch.Body.Length;
            if (_bytes > Math.Min(coveredBytesMax, memory.BytesMax))
            {
                DropCovered(isCovered);
            }
        }

        _signal.Writer.TryWrite(true);
    }

    /// <summary>The next frame to write; its body is the caller's to dispose once written.</summary>
    public async ValueTask<(IPublishRequest Frame, SharedBody? Body)> TakeAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            lock (_gate)
            {
                if (_entries.First is { } first)
                {
                    Remove(first);
                    return (first.Value.Frame, first.Value.Body);
                }
            }

            await _signal.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void DropCovered(Predicate<Slot> isCovered)
    {
        for (LinkedListNode<Entry>? node = _entries.First, next; node is not null; node = next)
        {
            next = node.Next;
            if (node.Value.Slot is { } slot && isCovered(slot))
            {
                Remove(node);
                node.Value.Body!.Dispose();
            }
        }
    }

    private void Remove(LinkedListNode<Entry> node)
    {
        _entries.Remove(node);
        if (node.Value.Slot is { } slot)
        {
            _batches.Remove(slot);
            _bytes -= ((BatchFrame)node.Value.Frame).Batch.Body.Length;
        }
        else
        {
            _others--;
        }
    }

    private sealed record Entry(IPublishRequest Frame, Slot? Slot, SharedBody? Body);
}
