using Bft.Client;
using Bft.Cluster.Tests.Support;
using Bft.Crypto;
using Bft.Node;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Cluster.Tests.Faults;

/// <summary>A write or a flush that fails: the witness signs nothing after it, ends with 35, and may be started again whatever the disk kept of it.</summary>
public sealed class FlushTests : IAsyncLifetime
{
    private const int Failing = 3;
    private ProcessCluster _cluster = null!;
    private AckBook _book = null!;
    private AckTap _tap = null!;

    /// <summary>What the disk has, after the failure, of what was written since.</summary>
    public enum Kept
    {
        All,
        Half,
        Nothing,
    }

    public async Task InitializeAsync()
    {
        _cluster = await ProcessCluster.StartedAsync();
        _book = new AckBook(_cluster.File.Committee);
        _tap = new AckTap(_cluster, "twin", _book);
    }

    public async Task DisposeAsync()
    {
        await _tap.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [StraceTheory]
    [InlineData("fdatasync:error=EIO", "fdatasync", Kept.Nothing)]
    [InlineData("fdatasync:error=EIO:when=1", "fdatasync", Kept.Half)] // the next flush would succeed: it proves nothing
    [InlineData("pwritev,pwrite64:error=ENOSPC", "pwritev", Kept.All)]
    public async Task W1_after_a_failed_write_or_flush_nothing_is_signed_and_a_new_start_goes_on(string inject, string operation, Kept kept)
    {
        using Ed25519Signer signer = _cluster.SignerOf("twin");
        await _tap.OpenAsync(0, 1, 2, 3);
        Chain before = new(_cluster.File.Committee.Cluster, signer, ProcessCluster.NewTopic());
        SignedBatch first = before.Batch(0, "before"u8.ToArray());
        await OfferAsync(first, Failing); // alone: what the others have certified before it has the batch, it would not ack but store
        await Wait.UntilAsync(() => _book.AckedBy(Failing, new Slot(before.Header.Id, Sequence.Zero)) is not null, "an ack before anything fails");
        await OfferAsync(first, 0, 1, 2);
        await QuietAsync();
        string copy = _cluster.DataOf(Failing) + "-before";
        DataFolder.Copy(_cluster.DataOf(Failing), copy);
        long written = new FileInfo(DataFolder.LastSegment(copy)).Length;

        Chain during = new(_cluster.File.Committee.Cluster, signer, ProcessCluster.NewTopic());
        Slot doubtful = new(during.Header.Id, Sequence.Zero);
        await using (Strace strace = await Strace.InjectAsync(_cluster[Failing], inject))
        {
            await OfferAsync(during.Batch(0, "never acked"u8.ToArray()), Failing);
            Assert.Equal(NodeExitCode.Disk, await _cluster[Failing].EndedAsync());
        }

        Assert.Contains(operation, _cluster[Failing].Log, StringComparison.Ordinal);
        Assert.Contains("signs nothing more", _cluster[Failing].Log, StringComparison.Ordinal);
        Assert.Null(_book.AckedBy(Failing, doubtful));
        await _cluster.AssertServesAsync(0);

        await _cluster.KillAsync(Failing);
        string data = _cluster.DataOf(Failing);
        switch (kept)
        {
            case Kept.Nothing:
                DataFolder.Copy(copy, data);
                break;
            case Kept.Half:
                string last = DataFolder.LastSegment(data);
                DataFolder.Cut(last, (written + new FileInfo(last).Length) / 2);
                break;
        }

        await _cluster.StartAsync();
        await _cluster[Failing].SaysAsync($"witness {Failing} acks:"); // W9: no peer was shown a root of it that it does not know of
        Assert.DoesNotContain("MEMORY LOST", _cluster[Failing].Log, StringComparison.Ordinal);
        await _tap.OpenAsync(Failing);
        await OfferAsync(during.Batch(0, "another"u8.ToArray()), Failing);
        await Wait.UntilAsync(() => _book.AckedBy(Failing, doubtful) is not null, "a batch in the doubtful slot is acked");
        await Levels.ReachedAsync(_cluster);
        _book.AssertNoDoubles();
    }

    [StraceFact]
    public async Task W1_a_disk_that_fails_under_load_costs_one_witness_and_no_promise()
    {
        using Ed25519Signer signer = _cluster.SignerOf("twin");
        await using AckTap honest = new(_cluster, "publisher", _book);
        await using Traffic traffic = await Traffic.StartAsync(_cluster, subscribe: new SubscriptionOptions { FirstServing = new(Failing) });
        Twin twin = new(_cluster, _tap, signer);
        for (int round = 0; round < 2; round++)
        {
            await traffic.ProgressAsync($"before failure {round}");
            await _tap.OpenAsync(0, 1, 2, 3);
            await using (Strace strace = await Strace.InjectAsync(_cluster[Failing], "fdatasync:error=EIO"))
            {
                await twin.OfferAsync(8, Random.Shared);
                Assert.Equal(NodeExitCode.Disk, await _cluster[Failing].EndedAsync());
            }

            await traffic.ProgressAsync("with one witness gone");
            await _cluster.KillAsync(Failing);
            await _cluster.StartAsync();
            await _tap.OpenAsync(Failing);
            await twin.OfferOtherAsync();
            await traffic.ProgressAsync("with the witness back");
        }

        await Levels.ReachedAsync(_cluster);
        await traffic.FinishAsync();
        _book.AssertNoDoubles();
    }

    private async Task OfferAsync(SignedBatch batch, params int[] witnesses)
    {
        foreach (int witness in witnesses)
        {
            Assert.True(await _tap.SendAsync(witness, batch));
        }
    }

    /// <summary>Nothing is published, and no witness writes any more.</summary>
    private async Task QuietAsync()
    {
        await Levels.ReachedAsync(_cluster);
        ulong[] marks = [];
        await using BftClient client = _cluster.Connect("reader");
        await Wait.UntilAsync(
            async () =>
            {
                ulong[] last = marks;
                marks = [.. (await client.GetStatusAsync(ProcessCluster.Deadline)).Select(health => health.Status!.Mark.Value)];
                await Wait.PassAsync(TimeSpan.FromMilliseconds(500));
                return marks.SequenceEqual(last);
            },
            () => $"no more marks after {string.Join(' ', marks)}");
    }
}
