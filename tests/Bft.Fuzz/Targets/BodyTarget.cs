using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Bft.Fuzz.Samples;
using Bft.Protocol;
using Bft.Protocol.Bodies;
using Bft.Protocol.Verification;

namespace Bft.Fuzz.Targets;

/// <summary>Bodies as readers decode them (R1): u32 message count · u8 encoding · body. What a chunk gave is written again and must be the chunk.</summary>
internal sealed class BodyTarget() : Target<DecodedMessage[]>("body")
{
    private const int HeadLength = sizeof(uint) + 1;

    public override int LengthMax => 128 * 1024;

    /// <summary>A reader has a place for each message that the statement promises, whole or not; their number is the cluster's limit.</summary>
    public override long AllocatedMax(int length) => base.AllocatedMax(length) + ((long)Unsafe.SizeOf<DecodedMessage>() * ClusterLimits.Default.MessageCountMax);

    public override IEnumerable<Seed> Seeds()
    {
        foreach ((VerifiedBatch batch, int index) in World.Batches.Take(2).Select((batch, index) => (batch, index)))
        {
            byte[] sample = Encode(batch.Statement.Statement.Body.MessageCount, batch.Body.Span);
            foreach (Seed seed in Edges.Of($"body{index}", sample, index == 1 ? [0, HeadLength, HeadLength + 4, HeadLength + 8, HeadLength + 12, HeadLength + 16, HeadLength + 20, HeadLength + 24] : []))
            {
                yield return seed;
            }
        }

        yield return new Seed("one-large", Encode(1, World.Batches[2].Body.Span));
        yield return new Seed("small-chunks", Encode(100, Tables.OfSmallChunks(100)));
        yield return new Seed("small-chunks-backwards", Encode(100, Tables.OfSmallChunks(100, isReversed: true)));
    }

    protected override DecodedMessage[] Decode(byte[] input)
    {
        uint count = input.Length < HeadLength ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(input);
        if (count == 0 || count > ClusterLimits.Default.MessageCountMax)
        {
            return [];
        }

        BodyDescription description = new(default, 2, (int)count, input.Length - HeadLength, (BodyEncoding)(input[HeadLength - 1] & 0x7f));
        return DecodedBody.Read(description, input.AsMemory(HeadLength), ClusterLimits.Default.TableBytesMax);
    }

    protected override Outcome Judge(byte[] input, DecodedMessage[] decoded)
    {
        if (decoded.Length == 0)
        {
            return Outcome.Rejected();
        }

        ReadOnlySpan<byte> body = input.AsSpan(HeadLength);
        Outcome outcome = Outcome.Accepted.With((ulong)decoded[0].Error);
        if (decoded[0].Error is DecodeError.UnknownEncoding or DecodeError.BadTable || !ChunkTable.TryRead(body, decoded.Length, ClusterLimits.Default.TableBytesMax, out ChunkTable? table))
        {
            OracleException.Require(decoded.All(message => message.Error == decoded[0].Error), "One error concerns all messages.");
            return outcome;
        }

        foreach (ChunkEntry entry in table.Entries)
        {
            int[] positions = [.. entry.Runs.SelectMany(run => Enumerable.Range(run.First, run.Count))];
            DecodeError error = decoded[positions[0]].Error;
            OracleException.Require(positions.All(position => decoded[position].Error == error), "A chunk is whole or not.");
            outcome = outcome.With((ulong)error);
            if (error == DecodeError.None)
            {
                byte[] again = new byte[positions.Sum(position => MessageRecord.FullLength(decoded[position].Message))];
                int at = 0;
                foreach (int position in positions)
                {
                    at += MessageRecord.Write(again.AsSpan(at), decoded[position].Message);
                }

                OracleException.RequireSame(body.Slice(entry.Offset, entry.Length), again, "A chunk");
            }
        }

        return outcome.Sized(table.Entries.Count);
    }

    private static byte[] Encode(int messages, ReadOnlySpan<byte> body)
    {
        byte[] bytes = [0, 0, 0, 0, 0, .. body];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, messages);
        return bytes;
    }
}
