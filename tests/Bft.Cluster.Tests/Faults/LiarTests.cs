using Bft.Client;
using Bft.Cluster.Tests.Support;
using Bft.Crypto;
using Bft.Protocol.Verification;

namespace Bft.Cluster.Tests.Faults;

/// <summary>A Byzantine witness and a Byzantine publisher at once, among three processes that are honest.</summary>
public sealed class LiarTests : IAsyncLifetime
{
    private const int Liar = 3;
    private const int Absent = 2;
    private static readonly int[] Honest = [0, 1, 2];
    private ProcessCluster _cluster = null!;
    private LyingWitness _liar = null!;

    public async Task InitializeAsync()
    {
        _cluster = await ProcessCluster.MadeAsync();
        _liar = await LyingWitness.StartAsync(_cluster, Liar);
        await _cluster.StartAsync(Honest);
    }

    public async Task DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await _liar.DisposeAsync();
    }

    [Fact]
    public async Task C2_a_witness_that_acks_all_and_keeps_nothing_changes_nothing_and_is_proven_guilty_and_nobody_else()
    {
        AckBook book = new(_cluster.File.Committee);
        await using BftClient asking = _cluster.Connect("reader"); // one for all questions: whom the twin has got banned shares its address, and dials ten times a second at most
        await using Traffic traffic = await Traffic.StartAsync(_cluster, subscribe: new SubscriptionOptions { FirstServing = new(Liar) }, mayBeAccused: new(Liar));
        await using AckTap honest = new(_cluster, "publisher", book);
        await traffic.ProgressAsync("with a liar among the witnesses, which all readers try first");

        // Its acks count: without it there is no quorum now. What it acked and did not keep is not missed.
        await _cluster.KillAsync(Absent);
        await traffic.ProgressAsync("with the liar's acks needed");
        await traffic.ProgressAsync("with the liar's acks needed, again");
        await _cluster.StartAsync(Honest);
        await Levels.ReachedAsync(_cluster, Honest);
        await traffic.ProgressAsync("with three honest ones");
        Assert.InRange(_liar.Lies, 1, int.MaxValue);
        Assert.Empty(await EvidenceAsync(asking)); // so far it signed nothing that contradicts itself

        using Ed25519Signer signer = _cluster.SignerOf("twin");
        AckBook twice = new(_cluster.File.Committee);
        await using (AckTap tap = new(_cluster, "twin", twice))
        {
            await tap.OpenAsync(0, 1, 2, 3);
            Twin twin = new(_cluster, tap, signer);
            await twin.OfferAsync(5, Random.Shared);
            await twin.OfferOtherAsync();
            await Wait.UntilAsync(async () => (await EvidenceAsync(asking)).Select(evidence => evidence.Offender).Distinct().Count() == 2, () => "the liar and the twin are proven guilty");
        }

        Assert.All(await EvidenceAsync(asking), evidence => Assert.Contains(evidence.Offender, new[] { _liar.Key, signer.PublicKey }));
        Assert.NotEmpty(twice.Doubles);
        Assert.All(twice.Doubles, words => Assert.Contains($"witness {Liar} ", words, StringComparison.Ordinal));
        await traffic.FinishAsync();
        book.AssertNoDoubles();
    }

    /// <summary>What the honest witnesses hold.</summary>
    private static async Task<VerifiedEvidence[]> EvidenceAsync(BftClient client)
    {
        WitnessEvidence[] held = await client.GetEvidenceAsync(ProcessCluster.Deadline);
        Assert.All(Honest, witness => Assert.Null(held[witness].Problem));
        return [.. Honest.SelectMany(witness => held[witness].Evidence)];
    }
}
