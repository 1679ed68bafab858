using Bft.Crypto;
using Bft.Fuzz.Samples;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Roles;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;
using Bft.Storage;

namespace Bft.Fuzz.Targets;

/// <summary>A witness's journal: all kinds of its records, and the witness that they rebuild (W9).</summary>
internal sealed class WitnessJournalTarget() : JournalTarget("witness-journal")
{
    /// <summary>A role has tables of its own.</summary>
    public override long AllocatedMax(int length) => base.AllocatedMax(length) + (4 << 20);

    protected override IEnumerable<(string Name, Action<IDisk> Write)> Samples()
    {
        yield return ("first-run", disk => Write(disk, new RunRecord(new Run(1))));
        yield return ("acked", disk => Write(disk, new RunRecord(new Run(1)), Batch(0), Batch(1)));
        yield return ("certified", disk => Write(disk, new RunRecord(new Run(1)), Batch(0), Certificate(0), Batch(1), Certificate(1), Batch(2)));
        yield return ("evidence", disk => Write(disk, [new RunRecord(new Run(1)), .. World.Evidence.Select(Verified), new PeerRootRecord(World.Bundles[0])]));
        yield return ("retired", disk => Write(disk, new RunRecord(new Run(1)), Batch(4), new RetiredRecord(World.Batches[4].Statement.Statement.Header), new ForgottenRecord(World.Batches[4].Reference.Stream)));
        yield return ("skipped", disk => Write(
            disk, new RunRecord(new Run(1)), new FloorRecord(World.Stream.Header, new Sequence(1)), new SkippedRecord(World.Batches[0].Statement), Certificate(0)));
        yield return ("jumped", disk => Write(disk, new RunRecord(new Run(1)), new JumpRecord(World.Stream.Header, World.Certificates[1])));
        yield return ("lost-memory", disk => Write(disk, new RunRecord(new Run(1)), new LostMemoryRecord()));
    }

    protected override string Open(IDisk disk)
    {
        WitnessRole role = new(World.Committee, new WitnessIndex(0), World.Cluster.SignerOf(new WitnessIndex(0)), NodeLimits.Default);
        BatchStore store = new();
        using WitnessJournal journal = Open(disk, role, store);
        return string.Join(' ', store.Streams.Select(log => $"{log.Header.Topic}/{log.Header.Incarnation.Counter}: {log.Tip?.Sequence} {log.Index.Slots.Count} {log.Index.Certificates.Count}")) + $" {journal.EvidenceCount}";
    }

    private static WitnessJournal Open(IDisk disk, WitnessRole role, BatchStore store) =>
        WitnessJournal.Open(disk, new JournalOptions { NewId = Id }, World.Committee, new WitnessIndex(0), Ed25519.Instance, role, store);

    private static BatchRecord Batch(int batch) => new(World.Batches[batch], Sequence.Zero);

    private static CertificateRecord Certificate(int certificate) => new(World.Certificates[certificate]);

    private static EvidenceRecord Verified(Evidence evidence) =>
        new(new EvidenceVerifier(World.Committee, Ed25519.Instance).TryVerify(evidence, out VerifiedEvidence? verified, out RejectReason reason)
            ? verified
            : throw new InvalidOperationException($"Refused: {reason}."));

    private static void Write(IDisk disk, params WitnessRecord[] records)
    {
        WitnessRole role = new(World.Committee, new WitnessIndex(0), World.Cluster.SignerOf(new WitnessIndex(0)), NodeLimits.Default);
        using WitnessJournal journal = Open(disk, role, new BatchStore());
        foreach (WitnessRecord record in records)
        {
            journal.Append(record);
            if (journal.Journal.Seal() is { } commit)
            {
                commit.Perform();
                journal.Journal.OnDurable(commit);
            }
        }
    }
}
