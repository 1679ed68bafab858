using System.Diagnostics;
using System.Globalization;
using Bft.Client;
using Bft.Cluster.Tests.Support;
using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Receipts;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;
using Xunit.Abstractions;

namespace Bft.Cluster.Tests;

/// <summary>kill -9 of some witnesses, or of all at once, under load, again and again.</summary>
/// <remarks>BFT_KILL_ROUNDS says how often (default 4), BFT_KILL_SEED which (default: chance).</remarks>
public sealed class KillTests(ITestOutputHelper output)
{
    private const int TwinsPerRound = 6;
    private readonly int _rounds = Setting("BFT_KILL_ROUNDS") ?? 4;
    private readonly int _seed = Setting("BFT_KILL_SEED") ?? Random.Shared.Next();

    [Fact]
    public async Task What_was_certified_survives_the_crash_of_any_and_all_and_no_slot_is_acked_twice()
    {
        output.WriteLine($"BFT_KILL_SEED={_seed}");
        Random random = new(_seed);
        Stopwatch time = Stopwatch.StartNew();
        await using ProcessCluster cluster = await ProcessCluster.StartedAsync();
        AckBook book = new(cluster.File.Committee);
        await using AckTap honest = new(cluster, "publisher", book);
        await using AckTap second = new(cluster, "second", book);
        await using AckTap forged = new(cluster, "twin", book);
        using Ed25519Signer twinSigner = cluster.SignerOf("twin");
        Twin twin = new(cluster, forged, twinSigner);
        await using Traffic traffic = await Traffic.StartAsync(cluster);
        int killed = 0, ofAll = 0;
        for (int round = 0; round < _rounds; round++)
        {
            int[] victims = Victims(round, random);
            ofAll += victims.Length == ProcessCluster.Count ? 1 : 0;
            await traffic.ProgressAsync($"before round {round}");
            await forged.OpenAsync(0, 1, 2, 3);
            await twin.OfferAsync(TwinsPerRound, random);
            await Wait.PassAsync(TimeSpan.FromMilliseconds(random.Next(1, 150))); // when it happens is chance
            int[] runs = [.. victims.Select(book.RunsOf)];
            TimeSpan died = time.Elapsed;
            killed += await CrashAsync(cluster, victims, random);
            await cluster.StartAsync();
            TimeSpan ready = time.Elapsed - died;
            await forged.OpenAsync(victims);
            await twin.OfferOtherAsync();
            await Wait.UntilAsync(() => victims.Index().All(victim => book.RunsOf(victim.Item) > runs[victim.Index]), $"witnesses {string.Join(' ', victims)} ack again after round {round}");
            TimeSpan acking = time.Elapsed - died;
            await traffic.ProgressAsync($"after round {round} (seed {_seed}: witnesses {string.Join(' ', victims)})");
            book.AssertNoDoubles();
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"round {round}: witnesses {string.Join(' ', victims)}; all ready {ready.TotalSeconds:0.0} s, all ack {acking.TotalSeconds:0.0} s, all goes on {time.Elapsed.TotalSeconds - died.TotalSeconds:0.0} s after the kill"));
        }

        await traffic.FinishAsync();
        await AssertOldSlotsStandAsync(cluster, traffic);
        await AssertOnlyTheTwinIsAccusedAsync(cluster, twinSigner.PublicKey);
        book.AssertNoDoubles();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{_rounds} rounds ({ofAll} of all four), {killed} kills, {time.Elapsed.TotalSeconds:0} s; {traffic.Writers.Sum(writer => writer.Sent)} messages, {traffic.Receipts} receipts: 0 lost; {book.Count} acks, {twin.Offered} slots with two batches: 0 double acks"));
    }

    private static int? Setting(string name) => int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : null;

    /// <summary>Any number of them; each third round, and the first, all.</summary>
    private static int[] Victims(int round, Random random)
    {
        int[] all = [.. Enumerable.Range(0, ProcessCluster.Count)];
        random.Shuffle(all);
        int[] some = all[..random.Next(1, ProcessCluster.Count + 1)];
        return round % 3 == 0 ? all : some;
    }

    /// <summary>Some die a second time, while they start.</summary>
    private static async Task<int> CrashAsync(ProcessCluster cluster, int[] victims, Random random)
    {
        await cluster.KillAsync(victims);
        if (random.Next(4) != 0)
        {
            return victims.Length;
        }

        Array.ForEach(victims, victim => cluster.Launch(victim));
        await Wait.PassAsync(TimeSpan.FromMilliseconds(random.Next(1, 2000)));
        await cluster.KillAsync(victims);
        return 2 * victims.Length;
    }

    /// <summary>W3: whoever holds a publisher's key and offers another batch in an old slot is shown the first one, by every witness.</summary>
    private static async Task AssertOldSlotsStandAsync(ProcessCluster cluster, Traffic traffic)
    {
        using Ed25519Signer signer = cluster.SignerOf("publisher");
        ReceiptVerifier verifier = new(cluster.File.Committee, Ed25519.Instance);
        foreach (Writer writer in traffic.Writers.Where(writer => writer.Key == signer.PublicKey))
        {
            Chain forger = new(cluster.File.Committee.Cluster, signer, writer.Topic) { Incarnation = writer.Stream!.Incarnation };
            SortedDictionary<Sequence, Digest> proven = [];
            foreach ((_, byte[] receipt) in writer.Receipts)
            {
                Assert.True(verifier.TryVerify(receipt, out VerifiedReceipt? verified, out _));
                proven[verified.Sequence] = verified.Statement.Statement.Digest;
            }

            for (int witness = 0; witness < ProcessCluster.Count; witness++)
            {
                using RawClient client = new(cluster, witness);
                using RawCall<IPublishRequest, IPublishReply> call = await client.PublishAsync();
                foreach (Sequence slot in new[] { proven.Keys.First(), proven.Keys.ElementAt(proven.Count / 2), proven.Keys.Last() }.Distinct())
                {
                    SignedBatch other = forger.Batch(slot.Value, "another\n"u8.ToArray());
                    await call.WriteAsync(new BatchFrame(other));
                    RefusalFrame refusal = await call.NextAsync<RefusalFrame>();
                    Assert.Equal((RefusalReason.Conflict, slot), (refusal.Reason, refusal.Slot.Sequence));
                    Assert.Equal(proven[slot], Sha256.Hash(refusal.Original!.Bytes.Span));
                }
            }
        }
    }

    /// <summary>Runs after the forger above, who has the publisher's key: that one is guilty too by now.</summary>
    private static async Task AssertOnlyTheTwinIsAccusedAsync(ProcessCluster cluster, PublicKey twin)
    {
        using Ed25519Signer forged = cluster.SignerOf("publisher");
        await using BftClient client = cluster.Connect("reader");
        WitnessEvidence[] held = await client.GetEvidenceAsync(ProcessCluster.Deadline);
        Assert.All(held, witness => Assert.Null(witness.Problem));
        Assert.All(held, witness => Assert.Contains(witness.Evidence, evidence => evidence.Offender == twin));
        Assert.All(held.SelectMany(witness => witness.Evidence), evidence => Assert.Contains(evidence.Offender, new[] { twin, forged.PublicKey }));
    }
}
