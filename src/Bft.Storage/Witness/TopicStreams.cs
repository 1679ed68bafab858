using Bft.Protocol.Model;

namespace Bft.Storage;

/// <summary>The streams of a topic of which something is stored, in the order in which that began, and what retention has to know of them together (S2).</summary>
/// <remarks>Any thread reads the list; all else is for the thread that owns the journal.</remarks>
internal sealed class TopicStreams : AppendList<StreamLog>
{
    /// <summary>Of so few streams no order is kept: each is looked at, which costs less than an order for every idle topic.</summary>
    public const int FewMax = 8;

    /// <summary>Of all of them; there is one at least.</summary>
    public Topic Topic => this[0].Header.Topic;

    /// <summary>Body bytes of all streams from their planned floors up.</summary>
    public long BodyBytes { get; set; }

    /// <summary>Something was stored since retention looked last.</summary>
    public bool IsTouched { get; set; }

    /// <summary>The number of the look at which retention decided here last.</summary>
    public uint Look { get; set; }

    /// <summary>By the lowest range whose bodies are kept; null while the topic keeps all, or has few streams.</summary>
    public AgeOrder? Bodies { get; private set; }

    /// <summary>By the lowest range of which statements and certificate alone are kept, but for the one that proves the floor; null like the other.</summary>
    public AgeOrder? History { get; private set; }

    /// <summary>Puts all streams in their order, if they are in none yet.</summary>
    public void Order()
    {
        if (Bodies is not null)
        {
            return;
        }

        (Bodies, History) = (new AgeOrder(1), new AgeOrder(2));
        for (int i = 0; i < Count; i++)
        {
            OnStored(this[i]);
        }
    }

    /// <summary>Keeps no order of few streams.</summary>
    public void Settle()
    {
        if (Count > FewMax)
        {
            return;
        }

        (Bodies, History) = (null, null);
        for (int i = 0; i < Count; i++)
        {
            this[i].Orders = 0;
        }
    }

    /// <summary>A stream's tip rose: what may be cut of it is new perhaps.</summary>
    public void OnStored(StreamLog log)
    {
        if (Bodies is not null)
        {
            Cutting stream = new(log);
            Bodies.Add(log, stream.OldestAt);
            History!.Add(log, stream.HistoryAt);
        }
    }
}
