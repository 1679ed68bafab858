using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>R5: who handed certificates of which streams over, and so has what they cover, and waits to hear that they are stored. Thread-safe.</summary>
/// <remarks>
/// Bounded: each client enters at most <see cref="StreamsPerClientMax"/> streams, over all its calls, about 200 bytes each; a hand-over beyond is dropped before its signatures are
/// looked at. A publisher's own streams are not entered: its calls hear of them anyway.
/// </remarks>
internal sealed class HandOverBook
{
    public const int StreamsPerClientMax = 64;

    private readonly Lock _gate = new();
    private readonly SortedDictionary<StreamId, List<Entry>> _streams = [];
    private readonly Dictionary<PublicKey, int> _entries = []; // bound: the cluster's clients

    /// <summary>A certificate is handed over, not yet verified. False when the client has too many already.</summary>
    /// <param name="batch">What it claims to certify.</param>
    /// <param name="client">Who hands it over.</param>
    /// <param name="reply">Its call: answers and questions go there.</param>
    public bool TryEnter(BatchRef batch, PublicKey client, Action<IPublishReply, int> reply)
    {
        lock (_gate)
        {
            if (!_streams.TryGetValue(batch.Stream, out List<Entry>? entries))
            {
                entries = [];
            }

            int known = entries.FindIndex(entry => entry.Reply == reply);
            if (known >= 0)
            {
                entries[known] = entries[known] with { Top = entries[known].Top > batch.Sequence ? entries[known].Top : batch.Sequence };
                return true;
            }

            int count = _entries.GetValueOrDefault(client);
            if (count >= StreamsPerClientMax)
            {
                return false;
            }

            _entries[client] = count + 1;
            entries.Add(new Entry(client, reply, batch.Sequence));
            _streams[batch.Stream] = entries;
            return true;
        }
    }

    /// <summary>Asks those who handed certificates of the stream over for what is missing here.</summary>
    public void Ask(StreamId stream, Sequence missing)
    {
        foreach (Entry entry in Of(stream))
        {
            if (entry.Top >= missing)
            {
                entry.Reply(new FetchFrame(stream, missing, entry.Top, WithBodies: true), FrameBytes.Overhead);
            }
        }
    }

    /// <summary>The stored tip rose: whoever waits is told, and leaves when it has what it wants.</summary>
    public void OnTip(BatchRef tip, TipFrame frame)
    {
        foreach (Entry entry in Of(tip.Stream))
        {
            entry.Reply(frame, FrameBytes.Overhead + frame.Certificate.Length);
        }

        lock (_gate)
        {
            Remove(tip.Stream, entry => entry.Top <= tip.Sequence);
        }
    }

    /// <summary>A call is over.</summary>
    public void Leave(Action<IPublishReply, int> reply)
    {
        lock (_gate)
        {
            foreach (StreamId stream in _streams.Keys.ToArray())
            {
                Remove(stream, entry => entry.Reply == reply);
            }
        }
    }

    private Entry[] Of(StreamId stream)
    {
        lock (_gate)
        {
            return _streams.TryGetValue(stream, out List<Entry>? entries) ? [.. entries] : [];
        }
    }

    private void Remove(StreamId stream, Predicate<Entry> isOver)
    {
        if (!_streams.TryGetValue(stream, out List<Entry>? entries))
        {
            return;
        }

        foreach (Entry entry in entries.FindAll(isOver))
        {
            entries.Remove(entry);
            _entries[entry.Client]--;
        }

        if (entries.Count == 0)
        {
            _streams.Remove(stream);
        }
    }

    private sealed record Entry(PublicKey Client, Action<IPublishReply, int> Reply, Sequence Top);
}
