using System.Buffers.Binary;
using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Storage;

namespace Bft.Client;

/// <summary>A durable cursor (R3): what the application committed, and per stream a <em>lease</em>: the slots that may have been delivered.</summary>
/// <remarks>
/// A lease is durable before a slot below it is delivered, so that after a crash all that may come twice is marked. It reaches
/// <see cref="LeaseSlots"/> ahead, which costs one flush per that many batches of a stream; a clean end takes it back to what was delivered.
/// Everything here blocks until it is durable, and is for one thread at a time; <see cref="CursorFile"/> is the shell around it.
/// </remarks>
internal sealed class CursorStore : IJournalReplay, IDisposable
{
    public const ulong LeaseSlots = 256;

    private const byte PositionKind = 1;
    private const byte LeaseKind = 2;
    private const int PositionLength = Digest.Length + 8 + Digest.Length + 4;
    private const int LeaseLength = Digest.Length + 8;
    private const long DefaultSegmentBytes = 1024 * 1024;

    private readonly SortedDictionary<StreamId, Sequence> _leases = []; // one entry per stream of the topic, as the cursor
    private readonly SortedDictionary<StreamId, Sequence> _found;
    private readonly Journal _journal;
    private readonly long _segmentBytes;
    private long _compactedAt; // of the journal's bytes; those of earlier runs count too

    private CursorStore(IDisk disk, JournalId newId, Topic topic, long segmentBytes)
    {
        _segmentBytes = segmentBytes;
        Cursor = new Cursor(topic);
        _journal = Journal.Open(disk, new JournalOptions { NewId = newId, SegmentBytes = segmentBytes }, this);
        _found = new SortedDictionary<StreamId, Sequence>(_leases);
    }

    /// <summary>What is committed.</summary>
    public Cursor Cursor { get; }

    /// <summary>Nothing was ever delivered with this cursor.</summary>
    public bool IsNew => _found.Count == 0 && Cursor.Positions.Count == 0;

    /// <param name="disk">Its directory, used by nobody else.</param>
    /// <param name="newId">Random, for a journal that is new.</param>
    /// <param name="topic">Which topic is read.</param>
    /// <param name="segmentBytes">When a segment is full, and what counts is written anew.</param>
    /// <exception cref="DiskException">The disk refused.</exception>
    /// <exception cref="JournalDamageException">What was committed cannot be read.</exception>
    public static CursorStore Open(IDisk disk, JournalId newId, Topic topic, long segmentBytes = DefaultSegmentBytes) => new(disk, newId, topic, segmentBytes);

    /// <summary>An earlier run may have delivered this slot.</summary>
    public bool MayBeRepeat(StreamId stream, Sequence sequence) => _found.TryGetValue(stream, out Sequence until) && sequence < until;

    public bool IsLeased(StreamId stream, Sequence sequence) => _leases.TryGetValue(stream, out Sequence until) && sequence < until;

    /// <summary>Makes durable that slots up to some way beyond this one may be delivered.</summary>
    public void Lease(StreamId stream, Sequence sequence)
    {
        Append(stream, new Sequence(sequence.Value + LeaseSlots));
        Flush();
    }

    /// <summary>Makes the position durable, unless the cursor is beyond it.</summary>
    public void Commit(StreamId stream, CursorPosition position)
    {
        Append(stream, position);
        Flush();
    }

    /// <summary>A clean end: only what was delivered may come twice.</summary>
    /// <param name="delivered">Per stream, the slot above the last one delivered.</param>
    public void Close(IReadOnlyDictionary<StreamId, Sequence> delivered)
    {
        foreach ((StreamId stream, Sequence next) in delivered)
        {
            Append(stream, next);
        }

        Flush();

        // What was committed is proven to be durable: damage to it later is told from a write that a crash tore.
        if (_journal.SealProof() is { } proof)
        {
            proof.Perform();
            _journal.OnDurable(proof);
        }
    }

    public void OnRecord(ulong mark, byte kind, ReadOnlySpan<byte> head, JournalPosition body)
    {
#if PLANTED
        if (Planted.Is("delivered-set-lost"))
        {
            return;
        }
#endif
        int length = kind switch { LeaseKind => LeaseLength, PositionKind => PositionLength, _ => -1 };
        if (head.Length != length || !Sequence.TryCreate(BinaryPrimitives.ReadUInt64LittleEndian(head[Digest.Length..]), out Sequence sequence))
        {
            throw new JournalDamageException(body, $"in commit {mark} a record of kind {kind} is no position of a cursor; a newer version may have written it.");
        }

        StreamId stream = new(new Digest(head[..Digest.Length]));
        if (kind == LeaseKind)
        {
            _leases[stream] = sequence;
        }
        else
        {
            Digest last = new(head.Slice(Digest.Length + 8, Digest.Length));
            Cursor.Set(stream, new CursorPosition(sequence, last, Math.Max(0, BinaryPrimitives.ReadInt32LittleEndian(head[(PositionLength - 4)..]))));
        }
    }

    public void Dispose() => _journal.Dispose();

    private void Append(StreamId stream, Sequence lease)
    {
        _leases[stream] = lease;
        Span<byte> head = stackalloc byte[LeaseLength];
        stream.Digest.CopyTo(head);
        BinaryPrimitives.WriteUInt64LittleEndian(head[Digest.Length..], lease.Value);
        _journal.Append(LeaseKind, head);
    }

    private void Append(StreamId stream, CursorPosition position)
    {
        CursorPosition current = Cursor.PositionOf(stream);
        if (position.Next < current.Next || (position.Next == current.Next && position.MessagesTaken <= current.MessagesTaken && position.Last == current.Last))
        {
            return;
        }

        Cursor.Set(stream, position);
        Span<byte> head = stackalloc byte[PositionLength];
        stream.Digest.CopyTo(head);
        BinaryPrimitives.WriteUInt64LittleEndian(head[Digest.Length..], position.Next.Value);
        position.Last.CopyTo(head[(Digest.Length + 8)..]);
        BinaryPrimitives.WriteInt32LittleEndian(head[(PositionLength - 4)..], position.MessagesTaken);
        _journal.Append(PositionKind, head);
    }

    private void Flush()
    {
        Write();
        if (_journal.BytesSinceCheckpoint - _compactedAt >= _segmentBytes)
        {
            Compact();
        }
    }

    private void Write()
    {
        if (_journal.Seal() is { } commit)
        {
            commit.Perform();
            _journal.OnDurable(commit);
        }
    }

    /// <summary>Writes what counts to a new segment and drops those before.</summary>
    private void Compact()
    {
        long segment = _journal.Roll();
        foreach ((StreamId stream, CursorPosition position) in Cursor.Positions.ToArray())
        {
            Cursor.Forget(stream);
            Append(stream, position);
        }

        foreach ((StreamId stream, Sequence lease) in _leases.ToArray())
        {
            Append(stream, lease);
        }

        Write();
        _journal.DropSegmentsBefore(segment);
        _compactedAt = _journal.BytesSinceCheckpoint;
    }
}
