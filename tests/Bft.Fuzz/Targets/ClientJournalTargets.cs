using Bft.Client;
using Bft.Fuzz.Samples;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Verification;
using Bft.Storage;

namespace Bft.Fuzz.Targets;

/// <summary>A publisher's journal (P2), and the stream that is gone on with (P7).</summary>
internal sealed class PublisherJournalTarget() : JournalTarget("publisher-journal")
{
    protected override IEnumerable<(string Name, Action<IDisk> Write)> Samples()
    {
        yield return ("fresh", disk => Write(disk, batches: 0, certificates: 0));
        yield return ("uncovered", disk => Write(disk, batches: 3, certificates: 0));
        yield return ("covered", disk => Write(disk, batches: 3, certificates: 2));
    }

    protected override string Open(IDisk disk)
    {
        using PublisherJournal journal = PublisherJournal.Open(disk, Id);
        PublisherReplay found = journal.Found;
        RestoredStream? restored = found.Incarnation is { } incarnation
            ? found.TryRestore(journal, new StreamHeader(World.Committee.Cluster, World.Stream.Header.Publisher, World.Stream.Header.Topic, incarnation), World.Cluster.Batches, World.Cluster.Acks)
            : null;
        OracleException.Require(restored is null || restored.Uncovered.All(batch => World.IsSigned(batch.Digest)), "A stream is restored with a batch that nobody signed.");
        return $"{found.Incarnation} {restored?.Covered} {restored?.Uncovered.Count}";
    }

    private static void Write(IDisk disk, int batches, int certificates)
    {
        using PublisherJournal journal = PublisherJournal.Open(disk, Id);
        journal.Append(World.Stream.Header.Incarnation);
        foreach (VerifiedBatch batch in World.Batches.Take(batches))
        {
            SharedBody body = SharedBody.Rent(batch.Body.Length);
            batch.Body.CopyTo(body.Memory);
            journal.Append(new VerifiedBatch(batch.Statement, body.Memory, body));
        }

        foreach (VerifiedCertificate certificate in World.Certificates.Take(certificates))
        {
            journal.Append(certificate);
        }

        journal.Flush();
    }
}

/// <summary>A durable cursor (R3).</summary>
internal sealed class CursorJournalTarget() : JournalTarget("cursor-journal")
{
    private static readonly Topic Topic = new("orders");

    protected override IEnumerable<(string Name, Action<IDisk> Write)> Samples()
    {
        yield return ("fresh-lease", disk => Write(disk, commits: 0));
        yield return ("committed", disk => Write(disk, commits: 3));
    }

    protected override string Open(IDisk disk)
    {
        using CursorStore store = CursorStore.Open(disk, Id, Topic);
        return string.Join(' ', store.Cursor.Positions.Select(position => $"{position.Value.Next}+{position.Value.MessagesTaken}"));
    }

    private static void Write(IDisk disk, int commits)
    {
        using CursorStore store = CursorStore.Open(disk, Id, Topic);
        StreamId stream = World.Stream.Id;
        store.Lease(stream, Sequence.Zero);
        for (int commit = 0; commit < commits; commit++)
        {
            store.Commit(stream, new CursorPosition(new Sequence((ulong)commit + 1), World.Batches[commit].Digest, commit));
        }
    }
}
