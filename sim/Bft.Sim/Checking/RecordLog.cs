using Bft.Protocol.Model;
using Bft.Protocol.Witnessing;

namespace Bft.Sim;

/// <summary>What is known of one witness's disk: records appended, sealed, durable, and those that a crash may or may not have kept.</summary>
internal sealed class RecordLog
{
    private readonly List<WitnessRecord> _open = [];
    private readonly Queue<(ulong Mark, WitnessRecord[] Records)> _sealed = new();
    private readonly HashSet<BatchRef> _acked = [];
    private readonly HashSet<BatchRef> _stored = [];
    private readonly HashSet<BatchRef> _certified = [];
    private readonly HashSet<ulong> _runs = [];
    private readonly HashSet<(bool IsCertificate, BatchRef Batch)> _doubtful = [];

    /// <summary>The record of an ack is on the disk, or was kept by a crash.</summary>
    public bool HasAck(BatchRef batch) => _acked.Contains(batch);

    /// <summary>Acks whose record is on the disk for sure.</summary>
    public IEnumerable<BatchRef> SureAcks => _acked.Where(batch => !_doubtful.Contains((false, batch)));

    public bool HasBatch(BatchRef batch) => _stored.Contains(batch);

    public bool HasCertificate(BatchRef batch) => _certified.Contains(batch);

    public bool HasRun(ulong run) => _runs.Contains(run);

    public void Append(WitnessRecord record)
    {
        if (NameOf(record) is { } name && _doubtful.Remove(name))
        {
            // Written once more: the crash that may have kept it did not.
            (name.IsCertificate ? _certified : _stored).Remove(name.Batch);
            if (!name.IsCertificate)
            {
                _acked.Remove(name.Batch);
            }
        }

        _open.Add(record);
    }

    public void Seal(ulong mark)
    {
        _sealed.Enqueue((mark, [.. _open]));
        _open.Clear();
    }

    public void Durable(ulong mark)
    {
        bool isNamed = false;
        while (_sealed.TryPeek(out (ulong Mark, WitnessRecord[] Records) next) && next.Mark <= mark)
        {
            _sealed.Dequeue();
            Keep(next.Records);
            isNamed = true;
        }

        if (!isNamed)
        {
            Keep(_open);
            _open.Clear();
        }
    }

    /// <summary>Recovery makes durable whatever it finds: what was not durable may be there or not.</summary>
    public void Crash()
    {
        foreach (WitnessRecord record in _sealed.SelectMany(commit => commit.Records).Concat(_open))
        {
            // A repair writes again what was durable (D49): no crash makes that doubtful.
            if (NameOf(record) is { } name && !IsKept(record))
            {
                _doubtful.Add(name);
            }
        }

        Durable(ulong.MaxValue);
        Keep(_open);
        _open.Clear();
    }

    private static (bool IsCertificate, BatchRef Batch)? NameOf(WitnessRecord record) => record switch
    {
        BatchRecord batch => (false, batch.Batch.Reference),
        CertificateRecord certificate => (true, certificate.Certificate.Batch),
        _ => null,
    };

    private bool IsKept(WitnessRecord record) => record switch
    {
        BatchRecord { AckBase: null, Batch.Reference: var batch } => _stored.Contains(batch),
        BatchRecord { Batch.Reference: var batch } => _acked.Contains(batch),
        CertificateRecord { Certificate.Batch: var batch } => _certified.Contains(batch),
        _ => false,
    };

    private void Keep(IEnumerable<WitnessRecord> records)
    {
        foreach (WitnessRecord record in records)
        {
            switch (record)
            {
                case BatchRecord { Batch: var batch } acked:
                    _stored.Add(batch.Reference);
                    if (acked.AckBase is not null)
                    {
                        _acked.Add(batch.Reference);
                    }

                    break;
                case CertificateRecord certificate:
                    _certified.Add(certificate.Certificate.Batch);
                    break;
                case RunRecord run:
                    _runs.Add(run.Run.Value);
                    break;
                default:
                    break;
            }
        }
    }
}
