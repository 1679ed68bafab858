using System.Buffers.Binary;
using Bft.Protocol.Roles;

namespace Bft.Storage.Tests;

internal static class JournalExtensions
{
    public static readonly JournalOptions Small = new() { NewId = new JournalId(7), SegmentBytes = 8192 };

    /// <summary>A record whose head and body follow from its number.</summary>
    public static JournalPosition AppendNumbered(this Journal journal, int number, int bodyBytes = 700)
    {
        byte[] head = new byte[5 + (number % 5)];
        head.AsSpan().Fill(0xEE);
        BinaryPrimitives.WriteInt32LittleEndian(head, number);
        return journal.Append(unchecked((byte)number), head, BodyOf(number, bodyBytes));
    }

    public static byte[] BodyOf(int number, int bytes)
    {
        byte[] body = new byte[bytes];
        new Random(number).NextBytes(body);
        return body;
    }

    public static ulong CommitAll(this Journal journal)
    {
        if (journal.Seal() is { } commit)
        {
            commit.Perform();
            journal.OnDurable(commit);
        }

        return journal.DurableMark;
    }

    /// <summary>A checkpoint, durable.</summary>
    public static void Checkpoint(this Journal journal, Action<Journal> append)
    {
        JournalCommit commit = journal.SealCheckpoint(append);
        commit.Perform();
        journal.OnDurable(commit);
    }

    /// <summary>A checkpoint, durable, and what it gives back deleted.</summary>
    public static void Checkpoint(this WitnessJournal journal, WitnessRole role)
    {
        JournalCommit commit = journal.SealCheckpoint(role);
        commit.Perform();
        journal.OnDurable(commit);
    }

    public static byte[] ReadAll(this Journal journal, JournalPosition position)
    {
        byte[] body = new byte[position.Length];
        Assert.Equal(default, journal.Read(position, body));
        return body;
    }
}
