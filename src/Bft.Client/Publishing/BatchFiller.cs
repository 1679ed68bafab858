using System.Numerics;
using Bft.Protocol;
using Bft.Protocol.Bodies;

namespace Bft.Client;

/// <summary>Messages on their way into a batch: what a batch will be once it is taken.</summary>
internal readonly record struct FilledBatch(BodyBuilder Builder, PendingBatch Pending);

/// <summary>What became of a message.</summary>
internal enum AddOutcome
{
    Added,

    /// <summary>Added, and now there is more to take: the loop is told.</summary>
    AddedFirst,

    NoRoom,
}

/// <summary>The door between the callers' threads and the publisher's loop: messages are copied into batches here. Thread-safe.</summary>
internal sealed class BatchFiller(ClusterLimits limits, PublisherOptions options, MemoryShare memory)
{
    /// <summary>In steps of so much a batch that is being filled is counted, as its memory is. Unit: bytes.</summary>
    private const int HeldStep = 4 * 1024;

    private readonly int _fullBytes = options.BatchBytesOf(limits);
    private readonly Lock _gate = new();
    private readonly Queue<FilledBatch> _full = new();
    private readonly Stack<BodyBuilder> _spare = new();
    private readonly BodyBuilder _judge = new(limits);
    private BodyBuilder _builder = new(limits);
    private PendingBatch? _pending;
    private PendingBatch? _last;
    private TaskCompletionSource? _room; // somebody waits for it
    private Exception? _closed;

    /// <summary>The batch of the message added last; null when there was none.</summary>
    public PendingBatch? Last
    {
        get
        {
            lock (_gate)
            {
                return _last;
            }
        }
    }

    /// <summary>Batches in flight below which a batch is taken that is not full: as many as full ones fit the share.</summary>
    public int PipelineDepth => (int)Math.Clamp(memory.BytesMax / _fullBytes, 1, options.PipelineDepth);

    /// <summary>Completes when something was taken or certified after this was asked, or the filler closed.</summary>
    public Task RoomFreed
    {
        get
        {
            lock (_gate)
            {
                return HasRoom || _closed is not null ? Task.CompletedTask : (_room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }
        }
    }

    /// <exception cref="ArgumentException">No batch of this cluster can hold the message.</exception>
    /// <exception cref="PublishException">The publisher has ended.</exception>
    public AddOutcome TryAdd(in Message message, bool keepBody, out PublishTicket ticket)
    {
        ticket = default;
        if (WhyIllegal(message) is { } reason)
        {
            throw new ArgumentException(reason, nameof(message));
        }

        lock (_gate)
        {
            if (_closed is not null)
            {
                throw _closed;
            }

            if (!HasRoom)
            {
                return AddOutcome.NoRoom;
            }

            bool isFirst = _pending is null;
            int position = _builder.Count;
            if (!_builder.TryAdd(message))
            {
                Seal();
                if (_full.Count >= options.WaitingBatchesMax)
                {
                    return AddOutcome.NoRoom;
                }

                // An empty batch has room for every legal message.
                isFirst = true;
                position = 0;
                _builder.TryAdd(message);
            }

            _pending ??= _last = new PendingBatch(GiveBack);
            _pending.IsBodyKept |= keepBody;
            ticket = new PublishTicket(_pending, position);
            int length = _builder.BodyLength;
            if (length - _pending.HeldBytes >= HeldStep)
            {
                Hold(length);
            }

            // Before another message like these would take it above: a body just above a power of two takes the memory of the next.
            bool isFull = length + (length / _builder.Count) > FullBytes;
            if (isFull)
            {
                Seal();
            }

            return isFirst || isFull ? AddOutcome.AddedFirst : AddOutcome.Added;
        }
    }

    /// <summary>Takes the oldest batch that fits: a full one, or with <paramref name="evenIfNotFull"/> the one that is being filled.</summary>
    public bool TryTake(bool evenIfNotFull, Predicate<int> fits, out FilledBatch batch)
    {
        lock (_gate)
        {
            batch = default;
            if (_full.TryPeek(out FilledBatch full))
            {
                if (!fits(full.Builder.BodyLength))
                {
                    return false;
                }

                batch = _full.Dequeue();
                OnRoomFreed();
                return true;
            }

            if (!evenIfNotFull || _pending is null || !fits(_builder.BodyLength))
            {
                return false;
            }

            Seal();
            batch = _full.Dequeue();
            return true;
        }
    }

    /// <summary>A builder that was built is used again.</summary>
    public void GiveBack(BodyBuilder builder)
    {
        lock (_gate)
        {
            _spare.Push(builder);
        }
    }

    /// <summary>No more messages; what was not taken fails.</summary>
    public void Close(Exception reason)
    {
        lock (_gate)
        {
            _closed ??= reason;
            foreach (FilledBatch full in _full)
            {
                full.Pending.Fail(reason);
            }

            _full.Clear();
            _pending?.Fail(reason);
            _pending = null;
            OnRoomFreed();
        }
    }

    private bool HasRoom => _full.Count < options.WaitingBatchesMax && !memory.IsFull;

    /// <summary>At least two fill a share: one is in flight while the next is filled.</summary>
    private int FullBytes => Math.Min(_fullBytes, (int)BitOperations.RoundUpToPowerOf2((uint)Math.Min(int.MaxValue / 2, memory.BytesMax / 2) + 1) / 2);

    private void Hold(int bytes)
    {
        memory.Take(bytes - _pending!.HeldBytes);
        _pending.HeldBytes = bytes;
    }

    private void GiveBack(int bytes)
    {
        memory.GiveBack(bytes);
        lock (_gate)
        {
            OnRoomFreed();
        }
    }

    private void OnRoomFreed()
    {
        _room?.TrySetResult();
        _room = null;
    }

    /// <summary>Most messages need no second look at their texts.</summary>
    private string? WhyIllegal(in Message message)
    {
        bool isSurelyLegal = message.Headers is null && message.ContentType.Length + message.Subject.Length <= FormatLimits.SubjectBytesMax / 3
            && (long)message.Payload.Length + message.Key.Length <= limits.MessageBytesMax - 1024;
        return isSurelyLegal ? null : _judge.WhyIllegal(message);
    }

    private void Seal()
    {
        Hold(_builder.BodyLength);
        _full.Enqueue(new FilledBatch(_builder, _pending!));
        _pending = null;
        _builder = _spare.TryPop(out BodyBuilder? spare) ? spare : new BodyBuilder(limits);
    }
}
