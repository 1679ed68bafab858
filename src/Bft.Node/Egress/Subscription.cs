using Bft.Protocol.Model;
using Bft.Storage;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>One subscription: its own cursors into the store, one ordered path for history and live (R7). Only covered, durable batches are in the store (W7).</summary>
internal sealed class Subscription
{
    private readonly BatchStore _store;
    private readonly Signal _signal;
    private readonly StartFrame _start;
    private readonly TimeSpan _heartbeat;
    private readonly RangeWriter<ISubscribeReply> _writer;
    private readonly Dictionary<StreamId, Sequence> _asked; // bound: FrameLimits.CursorsMax
    private readonly List<Cursor> _cursors = [];            // bound: the topic's streams
    private readonly int _present;

    public Subscription(BatchStore store, Signal signal, StartFrame start, TimeSpan heartbeat, RangeWriter<ISubscribeReply> writer)
    {
        _store = store;
        _signal = signal;
        _start = start;
        _heartbeat = heartbeat;
        _writer = writer;
        _asked = start.Cursors.DistinctBy(cursor => cursor.Stream).ToDictionary(cursor => cursor.Stream, cursor => cursor.Sequence);
        _present = start.From == StartPosition.Latest ? store.StreamCountOf(start.Topic) : 0;
        AddStreams();
    }

    /// <summary>Serves until the token fires, then says so.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            // Taken before the store is looked at, so that nothing falls between history and live.
            Task changed = _signal.Next;
            AddStreams();
            if (await ServeRoundAsync())
            {
                continue;
            }

            Task first = await Task.WhenAny(changed, Task.Delay(_heartbeat, stopping));
            if (first != changed && !stopping.IsCancellationRequested)
            {
                await _writer.WriteAsync(new HeartbeatFrame());
            }
        }

        await _writer.WriteAsync(new EndFrame(EndReason.ShuttingDown, "the witness is going down; resume at another"));
    }

    /// <summary>One range of each stream that has news: a busy stream does not starve the others.</summary>
    private async ValueTask<bool> ServeRoundAsync()
    {
        bool served = false;
        foreach (Cursor cursor in _cursors)
        {
            if (_start.WithBodies)
            {
                served |= await ServeRangeAsync(cursor);
            }
            else
            {
                served |= await ServeTipAsync(cursor);
            }
        }

        return served;
    }

    private async ValueTask<bool> ServeRangeAsync(Cursor cursor)
    {
        if (cursor.Log.RangeFrom(cursor.Next) is not { } range)
        {
            return false;
        }

        await _writer.WriteAsync(cursor.Log, range, range.To);
        cursor.Next = range.To.Following;
        return true;
    }

    /// <summary>R4: only the last tip of a stream matters.</summary>
    private async ValueTask<bool> ServeTipAsync(Cursor cursor)
    {
        if (cursor.Log.Tip is not { } tip || tip.Batch.Sequence < cursor.Next)
        {
            return false;
        }

        await _writer.WriteAsync(new TipFrame(tip.Certificate.Bytes));
        cursor.Next = tip.Batch.Sequence.Following;
        return true;
    }

    private void AddStreams()
    {
        int count = _store.StreamCountOf(_start.Topic);
        while (_cursors.Count < count)
        {
            StreamLog log = _store.StreamOf(_start.Topic, _cursors.Count);
            Sequence next = !_start.WithBodies ? Sequence.Zero
                : _cursors.Count < _present ? log.End
                : _asked.GetValueOrDefault(log.Header.Id, Sequence.Zero);
            _cursors.Add(new Cursor(log) { Next = next });
        }
    }

    private sealed class Cursor(StreamLog log)
    {
        public StreamLog Log { get; } = log;

        public Sequence Next { get; set; }
    }
}
