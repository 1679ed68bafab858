using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Roles;
using Bft.Protocol.Witnessing;

namespace Bft.Storage;

/// <summary>A witness's records in its journal. What is appended is indexed at once, and visible in the store when its tip is durable.</summary>
public sealed class WitnessJournal : IDisposable
{
    private readonly BatchStore _store;

    private WitnessJournal(Journal journal, BatchStore store)
    {
        Journal = journal;
        _store = store;
    }

    /// <summary>The start found, and cut, a tail that was never durable (W9).</summary>
    public bool WasTailCut => Journal.WasTailCut;

    /// <summary>For sealing, performing and completing commits; records are appended here.</summary>
    public Journal Journal { get; }

    /// <summary>Offenders proven in the records replayed and appended.</summary>
    public long EvidenceCount { get; private set; }

    /// <summary>Opens or creates the journal of a directory; its records rebuild the role and the store (W9).</summary>
    /// <exception cref="ForeignJournalException">The journal is another cluster's or another witness's.</exception>
    /// <exception cref="JournalDamageException">Records that were durable are lost, or contradict each other.</exception>
    /// <exception cref="JournalMismatchException">A file of another journal, or of another format version.</exception>
    /// <exception cref="DiskException">The disk refused.</exception>
    public static WitnessJournal Open(
        IDisk disk, JournalOptions options, Committee committee, WitnessIndex self, ISignatureScheme scheme, WitnessRole role, BatchStore store)
    {
        ArgumentNullException.ThrowIfNull(committee);
        ArgumentNullException.ThrowIfNull(role);
        ArgumentNullException.ThrowIfNull(store);
        WitnessReplay replay = new(committee, self, scheme, role, store);
        WitnessJournal journal = new(Journal.Open(disk, options, replay), store) { EvidenceCount = replay.EvidenceCount };
        replay.Complete();
        store.Attach(journal.Journal);
        if (!replay.HasIdentity)
        {
            journal.Journal.Append((byte)WitnessRecordKind.Identity, WitnessRecords.Identity(committee.Cluster, self));
        }

        return journal;
    }

    /// <summary>Adds a record to the next commit. The body of a batch stays unchanged until that commit is durable.</summary>
    public void Append(WitnessRecord record)
    {
        switch (record)
        {
            case RunRecord run:
                Journal.Append((byte)WitnessRecordKind.Run, WitnessRecords.Run(run.Run));
                break;
            case BatchRecord batch:
                byte[] head = WitnessRecords.BatchHead(batch);
                JournalPosition statementAt = Journal.Append((byte)WitnessRecordKind.Batch, head, head.AsMemory(WitnessRecords.BatchHeadFixedLength));
                JournalPosition bodyAt = Journal.Append((byte)WitnessRecordKind.Body, [], batch.Batch.Body);
                _store.OnBatch(batch.Batch.Statement, statementAt, bodyAt);
                break;
            case CertificateRecord certificate:
                ReadOnlyMemory<byte> bytes = certificate.Certificate.Certificate.Bytes;
                _store.OnCertificate(certificate.Certificate, Journal.Append((byte)WitnessRecordKind.Certificate, bytes.Span, bytes));
                break;
            case EvidenceRecord evidence:
                Journal.Append((byte)WitnessRecordKind.Evidence, evidence.Evidence.Evidence.Encode());
                EvidenceCount++;
                break;
            case RetiredRecord retired:
                Journal.Append((byte)WitnessRecordKind.Retired, WitnessRecords.Header(retired.Header));
                break;
            case ForgottenRecord forgotten:
                Journal.Append((byte)WitnessRecordKind.Forgotten, WitnessRecords.Stream(forgotten.Stream));
                _store.Forget(forgotten.Stream);
                break;
            default:
                throw new ArgumentException($"{record} is no record that this version writes.", nameof(record));
        }
    }

    public void Dispose() => Journal.Dispose();
}

/// <summary>The journal in a data directory is sound but another cluster's or another witness's. Signing on top of it would be a fault.</summary>
public sealed class ForeignJournalException(string message) : Exception(message);
