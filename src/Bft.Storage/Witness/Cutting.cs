using Bft.Protocol.Model;

namespace Bft.Storage;

/// <summary>A stream whose floor is being decided (S2).</summary>
internal sealed class Cutting(StreamLog log)
{
    private readonly StreamIndex _index = log.Index;
    private long _next = log.Index.CertificateFor(log.Planned.Floor);
    private long _lowest = log.Index.CertificateFor(log.Planned.First);
    private Sequence _floor = log.Planned.Floor;
    private Sequence _first = log.Planned.First;
    private long _freed;

    public StreamLog Log => log;

    /// <summary>When the lowest range whose bodies are kept was stored; null when none is.</summary>
    public long? OldestAt => _floor < _index.End ? _index.Certificates[_next].StoredAt : null;

    /// <summary>The same of the lowest range without bodies; but the one right below the floor keeps statements and certificate, whatever their age: they prove the floor.</summary>
    public long? HistoryAt => _lowest < _index.Certificates.Count && EndOf(_lowest) < _floor ? _index.Certificates[_lowest].StoredAt : null;

    /// <summary>What was decided.</summary>
    public Cut Cut
    {
        get
        {
            // A range of empty bodies is cut too.
            bool isCut = _floor > log.Planned.Floor || _first > log.Planned.First;
            return new Cut(log, _floor, _first, isCut ? Math.Max(_freed, 1) : 0);
        }
    }

    /// <returns>Bytes of the bodies.</returns>
    public long CutRange()
    {
        long bytes = 0;
        Sequence end = EndOf(_next);
        for (; _floor < end; _floor = _floor.Following)
        {
            bytes += _index[_floor].BodyLength;
        }

        _next++;
        _freed += bytes;
        return bytes;
    }

    public void CutHistory()
    {
        Sequence end = EndOf(_lowest);
        _freed += _index.Certificates[_lowest].Position.Length + ((long)(end.Value - _first.Value) * log.StatementLength);
        _first = end;
        _lowest++;
    }

    /// <summary>One above the slots of a range.</summary>
    private Sequence EndOf(long range) => new Sequence(_index.Certificates[range].Top).Following;
}
