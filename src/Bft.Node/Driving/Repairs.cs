using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Storage;

namespace Bft.Node;

/// <summary>Damaged parts to be fetched from a peer: slots in a row of one stream, or what one certificate covers.</summary>
/// <param name="Stream">Whose.</param>
/// <param name="From">The first slot.</param>
/// <param name="To">The last one.</param>
/// <param name="IsCertificate">Certificates are damaged; otherwise statements or bodies.</param>
/// <param name="WithBodies">Bodies are kept there.</param>
/// <param name="Peer">Who is asked.</param>
/// <param name="Id">Tells one from another.</param>
internal sealed record RepairOrder(StreamId Stream, Sequence From, Sequence To, bool IsCertificate, bool WithBodies, WitnessIndex Peer, int Id)
{
    public bool Holds(Sequence sequence) => sequence >= From && sequence <= To;
}

/// <summary>Has what is damaged here fetched from one peer after the other (W8), and puts it into the journal again. On the core's thread.</summary>
/// <remarks>Nothing of it reaches the role: what is repaired was stored before, nothing is acked for it (W1), and no memory of acks is in it (W9).</remarks>
internal sealed class Repairs(WitnessJournal journal, BatchStore store, IWitnessOutputs outputs, WitnessIndex self, int witnesses)
{
    private const int SlotsMax = 64;
    private const int TimeoutTicks = 1500;
    private const int WaitTicks = 50;
    private const int DoublingsMax = 6;

    private DamagedPart _last; // dealt with, one way or the other
    private DamagedPart _current;
    private RepairOrder? _running;
    private int _age;
    private int _wait;
    private int _tries; // peers that had nothing of the current one
    private int _failures; // parts in a row that nobody had
    private int _turn;
    private int _id;
    private int _mended; // by the order that runs

    /// <summary>Sees each certificate that is put into the journal again, when it is appended: for those who check.</summary>
    public Action<VerifiedCertificate>? Mended { get; set; }

    /// <summary>A segment reads back wrong.</summary>
    public void OnScrubbed(Scrubbed found)
    {
        outputs.Log($"damage in {found.Segment:D16}.journal: {found.Fault} {store.Damages.Count} stored records cannot be read; they are fetched from peers"
            + (journal.OnDamaged(found.Segment) ? ". A start would read this file: a checkpoint follows, after which none does" : ""));
        _failures = 0;
        _wait = 0;
    }

    public void OnTick()
    {
        if (_running is { } running)
        {
            if (++_age > TimeoutTicks)
            {
                outputs.Abandon(running);
                OnEnded(running);
            }
        }
        else if (store.Damages.Count > 0 && --_wait <= 0)
        {
            Begin();
        }
    }

    public void OnCertified(RepairOrder order, VerifiedCertificate certificate, IReadOnlyList<VerifiedStatement> statements)
    {
        if (order != _running || Find(order) is not { } log)
        {
            return;
        }

        if (order.IsCertificate)
        {
            // What reaches above the stored tip comes again when that has risen.
            if (certificate.Batch.Sequence < log.End && statements.Count > 0 && statements[0].Sequence is var from && log.RangeFrom(from) is not null)
            {
                journal.AppendMended(certificate, from);
                Mended?.Invoke(certificate);
                _mended++;
            }
        }
        else if (!order.WithBodies)
        {
            foreach (VerifiedStatement statement in statements.Where(statement => IsWanted(order, log, statement)))
            {
                journal.AppendMended(statement, default);
                _mended++;
            }
        }
    }

    /// <returns>Whether its bytes are to be kept until the next commit is durable.</returns>
    public bool OnBody(RepairOrder order, VerifiedBatch batch)
    {
        if (order != _running || Find(order) is not { } log || !IsWanted(order, log, batch.Statement))
        {
            return false;
        }

        journal.AppendMended(batch.Statement, batch.Body);
        _mended++;
        return true;
    }

    public void OnEnded(RepairOrder order)
    {
        if (order != _running)
        {
            return;
        }

        if (_mended > 0)
        {
            outputs.Log($"repaired {(order.IsCertificate ? "a certificate" : $"{_mended} slots")} of stream {order.Stream.ToString()[..8]} from slot {order.From} on, by peer {order.Peer}");
        }

        _running = null;
        _wait = 0;
        if (_mended == 0)
        {
            _turn++;
            if (++_tries < witnesses - 1)
            {
                return;
            }

            _wait = WaitTicks << Math.Min(_failures++, DoublingsMax);
        }
        else
        {
            _failures = 0;
        }

        _tries = 0;
        _last = _current;
    }

    private void Begin()
    {
        while (store.Damages.After(_last, SlotsMax) is var (first, to))
        {
            if (Find(first) is not { } log)
            {
                store.Damages.Remove(first);
                continue;
            }

            // Below the floor there are statements alone.
            bool withBodies = !first.IsCertificate && first.Sequence >= log.Floor;
            to = !withBodies && to >= log.Floor && !first.IsCertificate ? log.Floor.Preceding : to;
            _current = first with { Sequence = to };
            Sequence from = first.IsCertificate ? log.CoveredFrom(first.Sequence) : first.Sequence;
            WitnessIndex peer = new((self.Value + 1 + (_turn % (witnesses - 1))) % witnesses);
            (_age, _mended) = (0, 0);
            _running = new RepairOrder(first.Stream, from, to, first.IsCertificate, withBodies, peer, _id++);
            outputs.Repair(_running);
            return;
        }
    }

    /// <summary>The stream of a part that is stored, and not cut meanwhile.</summary>
    private StreamLog? Find(DamagedPart part) => store.TryFind(part.Stream, out StreamLog? log) && part.Sequence >= log.FirstKept && part.Sequence < log.End ? log : null;

    private StreamLog? Find(RepairOrder order) => Find(new DamagedPart(order.Stream, order.To));

    private bool IsWanted(RepairOrder order, StreamLog log, VerifiedStatement statement) => order.Holds(statement.Sequence)
        && statement.Sequence >= log.FirstKept && store.Damages.Contains(new DamagedPart(order.Stream, statement.Sequence));
}
