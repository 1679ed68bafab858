using System.Diagnostics;
using System.Security.Cryptography;
using Bft.Crypto;
using Bft.Node.Tests.Support;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Bft.Storage;
using Bft.Wire.Frames;
using Bft.Wire.Services;
using Grpc.Core;

namespace Bft.Node.Tests.Ingress;

/// <summary>What a peer that floods may cost. Each of its acks is signed, for a batch that nobody published: it has to be verified to learn that it is worth nothing.</summary>
public sealed class ExchangeTests : IDisposable
{
    private const long PerSecond = 10 * Allowance.Signature;
    private const int SavedUp = 20; // verifications
    private const int Flood = 5_000;

    private readonly TestCluster _cluster = new();
    private readonly CoreMailbox _core = new();

    [Fact]
    public async Task C3_a_flood_of_signed_acks_is_read_as_fast_as_it_may_cost_and_an_honest_peer_does_not_wait_for_it()
    {
        using CancellationTokenSource over = new();
        CountedFrames flood = new(Acks(3, Flood));
        CountedFrames honest = new(Acks(1, 200));
        long begun = Stopwatch.GetTimestamp();
        Task flooding = Read(flood, 3, Small(), over.Token);
        await Read(honest, 1, Small(), over.Token, earned: 2 * Allowance.Signature).WaitAsync(LocalCluster.Patience);
        Assert.False(flooding.IsCompleted, "All of the flood was verified.");
        Assert.Equal(200, honest.Taken);

        double paid = Stopwatch.GetElapsedTime(begun).TotalSeconds * PerSecond / Allowance.Signature;
        Assert.InRange(flood.Taken, 0, SavedUp + paid + 2);
        await over.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => flooding);
    }

    [Fact]
    public async Task Calls_of_one_peer_share_what_it_may_cost()
    {
        using CancellationTokenSource over = new();
        Allowance allowance = Small();
        CountedFrames[] floods = [.. Enumerable.Range(0, 4).Select(_ => new CountedFrames(Acks(3, Flood / 4)))];
        long begun = Stopwatch.GetTimestamp();
        Task[] flooding = [.. floods.Select(flood => Read(flood, 3, allowance, over.Token))];
        await Read(new CountedFrames(Acks(1, SavedUp / 2)), 1, Small(), over.Token).WaitAsync(LocalCluster.Patience);
        int taken = floods.Sum(flood => flood.Taken);
        Assert.InRange(taken, 0, SavedUp + (Stopwatch.GetElapsedTime(begun).TotalSeconds * PerSecond / Allowance.Signature) + (2 * floods.Length));
        await over.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(flooding));
    }

    public void Dispose() => _cluster.Dispose();

    private static Allowance Small() => new(PerSecond, SavedUp * Allowance.Signature);

    /// <param name="frames">What the peer sends.</param>
    /// <param name="peer">Who.</param>
    /// <param name="allowance">What it may cost.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <param name="earned">With each frame, as if a bundle of ours went out for each of the peer's.</param>
    private Task Read(CountedFrames frames, int peer, Allowance allowance, CancellationToken cancellationToken, long earned = 0)
    {
        ExchangeIntake intake = new(_cluster.Committee, new WitnessIndex(0), new WitnessIndex(peer), new BatchStore(), new CountedSignatures(Ed25519.Instance));
        ExchangeCall call = new(intake, _core, new ByteBudget(long.MaxValue), allowance, heard: () => allowance.Earn(earned));
        return Task.Run(() => call.ReadAllAsync(frames, cancellationToken), CancellationToken.None);
    }

    private AcksFrame[] Acks(int peer, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => new AcksFrame(_cluster.Bundle(peer, new AckStatement(new BatchRef(new StreamId(Random()), Sequence.Zero, Random()), Sequence.Zero)).Encode()))];

    private static Digest Random() => new(RandomNumberGenerator.GetBytes(Digest.Length));

    private sealed class CountedFrames(AcksFrame[] frames) : IAsyncStreamReader<IExchangeRequest>
    {
        private int _taken;

        public int Taken => Volatile.Read(ref _taken);

        public IExchangeRequest Current { get; private set; } = null!;

        public Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            if (Taken == frames.Length)
            {
                return Task.FromResult(false);
            }

            Current = frames[Taken];
            Volatile.Write(ref _taken, Taken + 1);
            return Task.FromResult(true);
        }
    }
}
