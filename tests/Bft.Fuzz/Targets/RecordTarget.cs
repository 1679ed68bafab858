using Bft.Fuzz.Samples;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;
using Bft.Storage;

namespace Bft.Fuzz.Targets;

/// <summary>Heads of a witness's records, one at a time: u8 kind · head. What is read is written again as the same.</summary>
internal sealed class RecordTarget() : Target<byte[]?>("witness-record")
{
    private static readonly byte[] NotWrittenAgain = [];

    public override IEnumerable<Seed> Seeds()
    {
        StreamHeader header = World.Stream.Header;
        VerifiedStatement statement = World.Batches[1].Statement;
        IncarnationsRecord incarnations = new(header.Publisher, header.Topic, header.Incarnation, [header.Id], [World.Batches[4].Reference.Stream, World.Batches[5].Reference.Stream]);
        (WitnessRecordKind Kind, byte[] Head)[] samples =
        [
            (WitnessRecordKind.Identity, WitnessRecords.Identity(World.Committee.Cluster, new Protocol.Membership.WitnessIndex(3))),
            (WitnessRecordKind.Run, WitnessRecords.Run(new RunRecord(new Run(1)))),
            (WitnessRecordKind.Run, WitnessRecords.Run(new RunRecord(new Run(1), new Mark(2)))),
            (WitnessRecordKind.Batch, WitnessRecords.BatchHead(statement, Sequence.Zero)),
            (WitnessRecordKind.Batch, WitnessRecords.BatchHead(statement, null)),
            (WitnessRecordKind.Retired, WitnessRecords.Header(header)),
            (WitnessRecordKind.Forgotten, WitnessRecords.Stream(header.Id)),
            (WitnessRecordKind.Floor, CheckpointRecords.Floor(header.Id, new Sequence(2), new Sequence(1))),
            (WitnessRecordKind.Clock, CheckpointRecords.Number(77)),
            (WitnessRecordKind.Checkpoint, CheckpointRecords.Begin(new CheckpointHead(World.Committee.Cluster, 3, 77, true, [4, 5]))),
            (WitnessRecordKind.Placed, [.. new byte[StoredSlot.Bytes], .. WitnessRecords.BatchHead(statement, Sequence.Zero)]),
            (WitnessRecordKind.Incarnations, CheckpointRecords.Incarnations(incarnations)),
            (WitnessRecordKind.Skip, WitnessRecords.Of(header, CheckpointRecords.Number(3))),
            (WitnessRecordKind.Jump, WitnessRecords.Of(header, World.Certificates[1].Certificate.Bytes.Span)),
            (WitnessRecordKind.Stream, [.. WitnessRecords.Header(header), .. new byte[8 + 8], .. new byte[8], 8, 0, 0, 0, 8, 0, 0, 0, .. new byte[16]]),
        ];
        return samples.SelectMany((sample, index) => Edges.Of($"{sample.Kind}{index}", [(byte)sample.Kind, .. sample.Head]));
    }

    /// <returns>The head written again; null when it was refused.</returns>
    protected override byte[]? Decode(byte[] input)
    {
        if (input.Length == 0)
        {
            return null;
        }

        ReadOnlySpan<byte> head = input.AsSpan(1);
        switch ((WitnessRecordKind)input[0])
        {
            case WitnessRecordKind.Identity:
                return WitnessRecords.TryIdentity(head, out ClusterId cluster, out int witness) ? (witness < 64 ? WitnessRecords.Identity(cluster, new Protocol.Membership.WitnessIndex(witness)) : NotWrittenAgain) : null;
            case WitnessRecordKind.Run:
                return WitnessRecords.TryRun(head, out RunRecord run) ? WitnessRecords.Run(run) : null;
            case WitnessRecordKind.Batch or WitnessRecordKind.Skipped:
                return WitnessRecords.TryBatch(World.Committee.Cluster, head, out _, out _) ? NotWrittenAgain : null;
            case WitnessRecordKind.Retired:
                return WitnessRecords.TryHeader(World.Committee.Cluster, head, out StreamHeader header) ? WitnessRecords.Header(header) : null;
            case WitnessRecordKind.Forgotten:
                return WitnessRecords.TryStream(head, out StreamId stream) ? WitnessRecords.Stream(stream) : null;
            case WitnessRecordKind.Floor:
                return CheckpointRecords.TryFloor(head, out StreamId of, out Sequence floor, out Sequence first) ? CheckpointRecords.Floor(of, floor, first) : null;
            case WitnessRecordKind.Clock:
                return CheckpointRecords.TryNumber(head, out _) ? NotWrittenAgain : null;
            case WitnessRecordKind.Checkpoint:
                return CheckpointRecords.TryBegin(head) is not null ? NotWrittenAgain : null;
            case WitnessRecordKind.Placed:
                return CheckpointRecords.TryPlaced(World.Committee.Cluster, head, out _, out _, out _) ? NotWrittenAgain : null;
            case WitnessRecordKind.Incarnations:
                return CheckpointRecords.TryIncarnations(head) is not null ? NotWrittenAgain : null;
            case WitnessRecordKind.Skip or WitnessRecordKind.Jump:
                return WitnessRecords.TryOf(World.Committee.Cluster, head, out StreamHeader before, out ReadOnlySpan<byte> rest) ? WitnessRecords.Of(before, rest) : null;
            case WitnessRecordKind.Stream:
                return TryStream(head) ? NotWrittenAgain : null;
            default:
                return null;
        }
    }

    protected override Outcome Judge(byte[] input, byte[]? decoded)
    {
        if (decoded is null)
        {
            return Outcome.Rejected(input.Length == 0 ? 0 : input[0]);
        }

        if (decoded != NotWrittenAgain)
        {
            OracleException.RequireSame(input.AsSpan(1), decoded, $"A record of kind {(WitnessRecordKind)input[0]}");
        }

        return Outcome.Accepted.With(input[0]).Sized(input.Length);
    }

    private static bool TryStream(ReadOnlySpan<byte> head)
    {
        using PageReader pages = new(new MemoryDisk());
        try
        {
            return StreamRecords.TryStream(World.Committee.Cluster, head, pages) is not null;
        }
        catch (CheckpointLostException)
        {
            return false;
        }
    }
}
