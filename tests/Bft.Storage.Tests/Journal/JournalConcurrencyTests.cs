using System.Collections.Concurrent;

namespace Bft.Storage.Tests;

public sealed class JournalConcurrencyTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Bodies_are_read_on_many_threads_while_others_are_written_and_dropped()
    {
        const int Records = 500; // a segment each, and so more than are kept open
        FileDisk disk = FileDisk.At(_directory["data"]);
        using Journal journal = Journal.Open(disk, JournalExtensions.Small with { SegmentBytes = 4096 }, new ReplayedRecords());
        ConcurrentDictionary<int, JournalPosition> durable = new();
        using CancellationTokenSource written = new();
        int dropped = 0;

        Task<int>[] readers = [.. Enumerable.Range(0, 3).Select(seed => Task.Run(() =>
        {
            Random lot = new(seed);
            int read = 0;
            while (!written.IsCancellationRequested || (read == 0 && !durable.IsEmpty))
            {
                int number = lot.Next(Records);
                if (!durable.TryGetValue(number, out JournalPosition position))
                {
                    continue;
                }

                byte[] body = new byte[position.Length];
                JournalRead result = journal.Read(position, body);
                bool isGone = result.Status == JournalReadStatus.Dropped && number < Volatile.Read(ref dropped);
                Assert.True(isGone || result.IsOk, result.ToString());
                if (result.IsOk)
                {
                    Assert.Equal(JournalExtensions.BodyOf(number, 4000), body);
                    read++;
                }
            }

            return read;
        }))];

        try
        {
            for (int number = 0; number < Records; number++)
            {
                JournalPosition position = journal.AppendNumbered(number, 4000);
                JournalCommit commit = journal.Seal()!;
                await Task.Run(commit.Perform);
                journal.OnDurable(commit);
                durable[number] = position;
                if (number == 300)
                {
                    Volatile.Write(ref dropped, 200);
                    journal.DropSegmentsBefore(durable[200].Segment);
                }
            }
        }
        finally
        {
            await written.CancelAsync();
        }

        Assert.All(await Task.WhenAll(readers), read => Assert.True(read > 0));
        Assert.Equal(Records - 200, disk.List().Count);
    }

    [Fact]
    public void Damage_that_is_found_by_reading_names_the_file_and_the_place()
    {
        FileDisk disk = FileDisk.At(_directory["data"]);
        using Journal journal = Journal.Open(disk, JournalExtensions.Small, new ReplayedRecords());
        JournalPosition whole = journal.AppendNumbered(1);
        JournalPosition hurt = journal.AppendNumbered(2);
        journal.CommitAll();
        string name = Assert.Single(disk.List());
        using (FileStream file = File.OpenWrite(_directory[$"data/{name}"]))
        {
            file.Position = hurt.Offset + 5;
            file.WriteByte(0);
        }

        JournalRead read = journal.Read(hurt, new byte[hurt.Length]);
        Assert.Equal((JournalReadStatus.Damaged, name, hurt.Offset, "the checksum differs."), (read.Status, read.File, read.Offset, read.Reason));
        Assert.Equal(JournalExtensions.BodyOf(1, 700), journal.ReadAll(whole));

        using (FileStream file = File.OpenWrite(_directory[$"data/{name}"]))
        {
            file.SetLength(hurt.Offset + 10);
        }

        Assert.Equal("the file ends after 10 of 700 bytes.", journal.Read(hurt, new byte[hurt.Length]).Reason);
    }
}
