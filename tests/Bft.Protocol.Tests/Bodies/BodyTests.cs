using System.Text;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using FsCheck;
using FsCheck.Fluent;

namespace Bft.Protocol.Tests.Bodies;

public sealed class BodyTests
{
    private static readonly ClusterLimits Limits = ClusterLimits.Default;

    [Fact]
    public void Grouping_by_subject_restores_the_positions()
    {
        Prop.ForAll<byte[], byte[]>((subjects, sizes) =>
        {
            Message[] messages =
            [
                .. subjects.Select((subject, index) => new Message(Filled(index, sizes.Length == 0 ? 1 : sizes[index % sizes.Length] * 40))
                {
                    Subject = $"subject {subject % 100}",
                    Key = Filled(index, subject % 5),
                    ContentType = index % 2 == 0 ? "text/plain" : string.Empty,
                    Headers = index % 3 == 0 ? [new MessageHeader("trace", Filled(index, 8)), new MessageHeader("trace", default)] : null,
                }),
            ];
            return messages.Length == 0 || RoundTrips(messages);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void More_subjects_than_open_chunks_restore_their_positions_too() =>
        Assert.True(RoundTrips([.. Enumerable.Range(0, 1000).Select(index => new Message(Filled(index, 100)) { Subject = $"s{index % 150}" })]));

    [Fact]
    public void Messages_of_one_subject_share_chunks_of_at_most_16_KiB()
    {
        Message[] messages = [.. Enumerable.Range(0, 300).Select(index => new Message(Filled(index, 500)) { Subject = $"s{index % 3}" })];
        (BodyDescription description, byte[] body) = TestStream.Body(Limits, messages);
        ChunkTable table = TableOf(description, body);

        Assert.All(table.Entries, entry => Assert.InRange(entry.Length, 1, FormatLimits.ChunkBytesTarget));
        Assert.Equal(["s0", "s1", "s2"], table.Entries.Select(entry => entry.Subject).Distinct().Order());
        // Greedy: only the last chunk of a subject has room left for one more.
        foreach (IGrouping<string, ChunkEntry> subject in table.Entries.GroupBy(entry => entry.Subject))
        {
            Assert.All(subject.SkipLast(1), entry => Assert.True(entry.Length > FormatLimits.ChunkBytesTarget - 600));
        }
    }

    [Fact]
    public void A_larger_message_has_its_own_chunk()
    {
        Message[] messages = [new(Filled(1, 100)), new(Filled(2, 40_000)), new(Filled(3, 100))];
        (BodyDescription description, byte[] body) = TestStream.Body(Limits, messages);

        ChunkEntry large = Assert.Single(TableOf(description, body).Entries, entry => entry.Length > FormatLimits.ChunkBytesTarget);
        Assert.Equal(1, large.MessageCount);
        Assert.True(RoundTrips(messages));
    }

    [Fact]
    public void A_builder_refuses_what_exceeds_a_limit_and_keeps_what_it_has()
    {
        BodyBuilder builder = new(Limits with { MessageCountMax = 2 });
        Assert.True(builder.TryAdd(new Message(Filled(0, 10))));
        Assert.True(builder.TryAdd(new Message(Filled(1, 10))));
        Assert.False(builder.TryAdd(new Message(Filled(2, 10))));
        Assert.Equal(2, builder.Count);

        BodyBuilder bytes = new(Limits with { BatchBytesMax = 64 * 1024, TableBytesMax = 1024, MessageBytesMax = 50_000 });
        Assert.True(bytes.TryAdd(new Message(Filled(0, 40_000))));
        Assert.False(bytes.TryAdd(new Message(Filled(0, 40_000))));
        Assert.NotNull(bytes.WhyIllegal(new Message(Filled(0, 50_001))));
        Assert.Null(bytes.WhyIllegal(new Message(Filled(0, 40_000))));
    }

    [Fact]
    public void A_builder_never_exceeds_the_table_s_limit()
    {
        ClusterLimits limits = Limits with { TableBytesMax = 1024 };
        BodyBuilder builder = new(limits);
        int count = 0;
        while (builder.TryAdd(new Message(Filled(count, 1)) { Subject = $"a subject of some length {count}" }))
        {
            count++;
        }

        byte[] body = new byte[builder.BodyLength];
        BodyDescription description = builder.Build(body);

        Assert.InRange(count, 10, 30);
        Assert.True(ChunkTable.TryRead(body, description.MessageCount, limits.TableBytesMax, out _));
        Assert.True(builder.IsEmpty);
    }

    [Fact]
    public void An_unknown_encoding_is_an_error_at_every_position()
    {
        (BodyDescription description, byte[] body) = TestStream.Body(Limits, "a", "b");

        Assert.Equal(
            [DecodeError.UnknownEncoding, DecodeError.UnknownEncoding],
            DecodedBody.Read(description with { Encoding = (BodyEncoding)7 }, body, Limits.TableBytesMax).Select(message => message.Error));
    }

    [Fact]
    public void A_chunk_unlike_its_entry_is_an_error_at_its_positions_only()
    {
        Message[] messages = [.. Enumerable.Range(0, 4).Select(index => new Message(Filled(index, 10)) { Subject = index % 2 == 0 ? "even" : "odd" })];
        (BodyDescription description, byte[] body) = TestStream.Body(Limits, messages);
        ChunkEntry odd = TableOf(description, body).Entries.Single(entry => entry.Subject == "odd");
        body[odd.Offset] = 0xff;

        Assert.Equal(
            [DecodeError.None, DecodeError.BadChunk, DecodeError.None, DecodeError.BadChunk],
            DecodedBody.Read(description, body, Limits.TableBytesMax).Select(message => message.Error));
    }

    [Fact]
    public void A_bad_table_is_one_error_for_the_whole_slot()
    {
        (BodyDescription description, byte[] body) = TestStream.Body(Limits, "a", "b");
        body[0] ^= 1;

        Assert.All(DecodedBody.Read(description, body, Limits.TableBytesMax), message => Assert.Equal(DecodeError.BadTable, message.Error));
    }

    /// <summary>Chunk tables that list anything but each position once.</summary>
    public static TheoryData<string, int, (int First, int Count)[]> BadPositions => new()
    {
        { "a position twice", 2, [(0, 1), (0, 1)] },
        { "a position missing", 3, [(0, 1), (2, 1)] },
        { "a position too high", 2, [(0, 1), (2, 1)] },
        { "overlapping runs", 4, [(0, 3), (2, 2)] },
        { "overlap out of order", 4, [(2, 2), (0, 3)] },
        { "an empty run", 2, [(0, 2), (2, 0)] },
        { "past the end", 2, [(0, 1), (1, 2)] },
    };

    [Theory]
    [MemberData(nameof(BadPositions))]
    public void Positions_are_a_permutation(string what, int messages, (int First, int Count)[] runs)
    {
        int count = runs.Sum(run => run.Count);
        byte[] table = Table((Length: 10, Messages: count, Runs: runs, Subject: "s"));

        Assert.False(ChunkTable.TryRead(table, messages, Limits.TableBytesMax, out _), what);
    }

    [Fact]
    public void Legal_tables_are_read_and_bad_ones_are_not()
    {
        (int Length, int Messages, (int First, int Count)[] Runs, string Subject) good = (10, 2, [(1, 1), (0, 1)], "s");
        Assert.True(ChunkTable.TryRead(Table(good), 2, Limits.TableBytesMax, out ChunkTable? table));
        Assert.Equal([new PositionRun(1, 1), new PositionRun(0, 1)], table.Entries[0].Runs);

        Assert.False(ChunkTable.TryRead(Table(good with { Length = 0 }), 2, Limits.TableBytesMax, out _));
        Assert.False(ChunkTable.TryRead(Table(good with { Messages = 3 }), 2, Limits.TableBytesMax, out _));
        Assert.False(ChunkTable.TryRead(Table(good with { Length = FormatLimits.ChunkBytesTarget + 1 }), 2, Limits.TableBytesMax, out _));
        Assert.False(ChunkTable.TryRead(Table(good with { Subject = new string('s', FormatLimits.SubjectBytesMax + 1) }), 2, Limits.TableBytesMax, out _));
        Assert.False(ChunkTable.TryRead(Table(good), 2, tableBytesMax: 16, out _));
        Assert.False(ChunkTable.TryRead([.. Table(good), 1], 3, Limits.TableBytesMax, out _));
        Assert.False(ChunkTable.TryRead(Table(), 0, Limits.TableBytesMax, out _));
        Assert.True(ChunkTable.TryRead(Table((FormatLimits.ChunkBytesTarget + 1, 1, [(0, 1)], "s")), 1, Limits.TableBytesMax, out _));
    }

    [Fact]
    public void Changed_or_truncated_bodies_never_throw_and_are_refused()
    {
        using TestCluster cluster = new();
        Message[] messages = [.. Enumerable.Range(0, 6).Select(index => new Message(Filled(index, 6)) { Subject = $"s{index % 2}", Headers = [new MessageHeader("h", Filled(index, 2))] })];
        (BodyDescription description, byte[] body) = TestStream.Body(Limits, messages);
        TestStream stream = cluster.Stream();
        VerifiedStatement statement = BatchVerifier.Sign(BatchStatement.Create(stream.Header, Sequence.Zero, default, description), stream.Signer, body, null).Statement;

        Assert.True(cluster.Batches.TryVerifyBody(statement, body, null, out _, out _));
        for (int i = 0; i < body.Length; i++)
        {
            byte[] changed = [.. body];
            changed[i] ^= 0x81;
            Assert.False(cluster.Batches.TryVerifyBody(statement, changed, null, out _, out _));
            Assert.Equal(6, DecodedBody.Read(description, changed, Limits.TableBytesMax).Length);
            Assert.False(cluster.Batches.TryVerifyBody(statement, body.AsMemory(0, i), null, out _, out _));
            Assert.Equal(6, DecodedBody.Read(description, body.AsMemory(0, i), Limits.TableBytesMax).Length);
        }
    }

    private static byte[] Table(params (int Length, int Messages, (int First, int Count)[] Runs, string Subject)[] entries)
    {
        using MemoryStream stream = new();
        using BinaryWriter writer = new(stream);
        writer.Write(0);
        writer.Write(entries.Length);
        foreach ((int length, int messages, (int First, int Count)[] runs, string subject) in entries)
        {
            writer.Write(length);
            writer.Write(messages);
            writer.Write(runs.Length);
            foreach ((int first, int count) in runs)
            {
                writer.Write(first);
                writer.Write(count);
            }

            writer.Write((ushort)subject.Length);
            writer.Write(Encoding.UTF8.GetBytes(subject));
        }

        byte[] table = stream.ToArray();
        BitConverter.TryWriteBytes(table, table.Length);
        return table;
    }

    private static ChunkTable TableOf(BodyDescription description, byte[] body)
    {
        Assert.True(ChunkTable.TryRead(body, description.MessageCount, Limits.TableBytesMax, out ChunkTable? table));
        return table;
    }

    private static bool RoundTrips(Message[] messages)
    {
        (BodyDescription description, byte[] body) = TestStream.Body(Limits, messages);
        DecodedMessage[] read = DecodedBody.Read(description, body, Limits.TableBytesMax);
        Assert.Equal(messages.Length, read.Length);
        for (int i = 0; i < read.Length; i++)
        {
            Assert.Equal(DecodeError.None, read[i].Error);
            Assert.Equal(messages[i].Payload.ToArray(), read[i].Message.Payload.ToArray());
            Assert.Equal(messages[i].Key.ToArray(), read[i].Message.Key.ToArray());
            Assert.Equal(messages[i].Subject, read[i].Message.Subject);
            Assert.Equal(messages[i].ContentType, read[i].Message.ContentType);
            Assert.Equal(
                (messages[i].Headers ?? []).Select(header => (header.Name, Convert.ToHexString(header.Value.Span))),
                (read[i].Message.Headers ?? []).Select(header => (header.Name, Convert.ToHexString(header.Value.Span))));
        }

        return true;
    }

    private static byte[] Filled(int value, int length) => [.. Enumerable.Repeat(unchecked((byte)value), length)];
}
