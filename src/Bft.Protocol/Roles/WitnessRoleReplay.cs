using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Protocol.Roles;

/// <content>How records rebuild a witness. Rules W9 and S2.</content>
public sealed partial class WitnessRole
{
    /// <summary>W9: a run's record is replayed.</summary>
    /// <param name="run">The run.</param>
    /// <param name="mark">The commit of the record; or, when the run is over, the last one of it that was replayed.</param>
    /// <param name="isOver">From a checkpoint (S2): the records that follow are not of this run.</param>
    public void RestoreRun(Run run, Mark mark, bool isOver = false) => _recall.RestoreRun(run, mark, isOver);

    /// <summary>W9: any record of the run replayed last; called for each, in order.</summary>
    public void RestoreMark(Mark mark) => _recall.RestoreMark(mark);

    /// <summary>W9: a peer's root is replayed.</summary>
    public void RestorePeerRoot(AckBundle bundle)
    {
        ArgumentNullException.ThrowIfNull(bundle);
        _recall.RestoreRoot(bundle);
    }

    /// <summary>W9: the record that memory was lost is replayed.</summary>
    public void RestoreLostMemory() => _recall.RestoreLostMemory();

    /// <summary>W9: a batch record is replayed.</summary>
    public void RestoreBatch(VerifiedStatement statement, Sequence? ackBase)
    {
        ArgumentNullException.ThrowIfNull(statement);
        StreamWitness witness = StreamFor(statement.Reference.Stream).Witness;
        witness.RestoreBatch(statement, ackBase);
        if (ackBase is not null)
        {
            _incarnations.Join(witness);
            witness.Listing!.OnAck();
        }
    }

    /// <summary>W11: the record of a retirement is replayed.</summary>
    public void RestoreRetired(StreamHeader header)
    {
        ArgumentNullException.ThrowIfNull(header);
        _incarnations.RestoreRetired(header, _streams.GetValueOrDefault(header.Id)?.Witness);
    }

    /// <summary>S2: a stream of a checkpoint is replayed: all up to its tip is stored. What stands above it follows.</summary>
    /// <param name="header">The stream.</param>
    /// <param name="tip">Its stored tip; null while nothing is stored.</param>
    /// <param name="isTipSigned">The tip's statement is here, and its publisher's signature was verified.</param>
    public void RestoreStream(StreamHeader header, BatchRef? tip, bool isTipSigned)
    {
        ArgumentNullException.ThrowIfNull(header);
        StreamFor(header.Id).Witness.RestoreTip(header, tip, isTipSigned);
    }

    /// <summary>W11, S2: a list of a checkpoint is replayed, after its streams.</summary>
    public void RestoreIncarnations(IncarnationsRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        _incarnations.Restore(record, id => _streams.GetValueOrDefault(id)?.Witness);
    }

    /// <summary>S3: a jump is replayed.</summary>
    public void RestoreJump(StreamHeader header, VerifiedCertificate certificate, WitnessEffects effects)
    {
        ArgumentNullException.ThrowIfNull(header);
        ArgumentNullException.ThrowIfNull(certificate);
        StreamFor(header.Id).Witness.RestoreJump(header, certificate, effects);
    }

    /// <summary>S2: what a checkpoint has to hold beside streams and evidence.</summary>
    public IEnumerable<WitnessRecord> Remembered() => [.. _incarnations.Remembered(), .. _recall.Remembered()];

    /// <summary>W11: a retired stream was forgotten.</summary>
    public void RestoreForgotten(StreamId stream) => Forget(stream);

    /// <summary>W9: a certificate record is replayed. False when the bodies that it covers were not: the journal contradicts itself.</summary>
    public bool RestoreCertificate(VerifiedCertificate certificate, WitnessEffects effects)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        _recall.See(certificate);
        return StreamFor(certificate.Batch.Stream).Witness.RestoreCertificate(certificate, effects);
    }

    /// <summary>W9: evidence is replayed.</summary>
    public void RestoreEvidence(VerifiedEvidence evidence)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        _offenders.Restore(evidence);
        if (evidence.Witness is null && _streams.TryGetValue(evidence.Slot.Stream, out WitnessStream? stream))
        {
            stream.Witness.RestoreEvidence();
        }
    }
}
