using Bft.Bench.Load;
using Bft.Bench.Measuring;
using Bft.Bench.Results;
using Bft.Bench.Running;
using Bft.Client;
using Bft.Crypto;
using Bft.Protocol.Bodies;
using Bft.Protocol.Receipts;
using Bft.Protocol.Verification;

namespace Bft.Bench;

/// <summary>How long it takes to verify one message's receipt, from its bytes, by a verifier that has never seen anything (no remembered signature), in a warm process.</summary>
internal static class ReceiptWorkload
{
    private const string Name = "receipt";
    private const int Receipts = 64;

    public static async Task RunAsync(BenchOptions options, IBenchOutput output, CancellationToken cancellationToken)
    {
        output.Doing(Name);
        await using BenchCluster cluster = await BenchCluster.StartAsync(options.Witnesses, hasSlowLinks: false, cancellationToken);
        await using Publisher publisher = await cluster.Connect(BenchCluster.PublisherName(0)).OpenPublisherAsync(BenchCluster.Topic, cancellationToken: cancellationToken);
        Payloads payloads = new(options.Seed, options.Size);
        List<byte[]> receipts = [];
        for (int i = 0; i < Receipts; i++)
        {
            byte[] payload = new byte[options.Size];
            payloads.Write(i, payload);
            receipts.Add((await publisher.PublishAsync(new Message(payload), cancellationToken)).ToReceipt().Encode());
        }

        Histogram times = new();
        long measureAt = Monotonic.Now + (options.WarmUp.Ticks * TimeSpan.NanosecondsPerTick);
        long end = measureAt + (options.Time.Ticks * TimeSpan.NanosecondsPerTick);
        for (int i = 0; Monotonic.Now < end; i = (i + 1) % Receipts)
        {
            cancellationToken.ThrowIfCancellationRequested();
            long begin = Monotonic.Now;
            if (!new ReceiptVerifier(cluster.File.Committee, Ed25519.Instance).TryVerify(receipts[i], out _, out RejectReason reason))
            {
                throw new LoadFailedException($"A receipt was refused: {reason}.");
            }

            if (begin >= measureAt)
            {
                times.Record(Monotonic.Now - begin);
            }
        }

        output.Measured(new BenchCase(Name, "one message", [
            .. ClosedLoopWorkload.Describe(cluster, options.Size),
            new("receiptBytes", "receipt (bytes)", receipts.Average(receipt => receipt.Length)),
            new("verifications", "verifications", times.Count),
            .. Sustained.Latency("verify", "verify", times),
        ]));
    }
}
