using Bft.Crypto;
using Bft.Protocol.Verification;

namespace Bft.Cluster.Tests.Support;

/// <summary>A publisher that signs two batches for each slot and shows one to some witnesses, the other to the rest; later each is offered the one that it has not seen.</summary>
/// <remarks>Only with such a publisher can a witness that forgot an ack be caught: an honest one never offers another batch.</remarks>
internal sealed class Twin(ProcessCluster cluster, AckTap tap, Ed25519Signer signer)
{
    private readonly List<(SignedBatch One, SignedBatch Other, bool[] SawOne)> _last = [];

    public int Offered { get; private set; }

    /// <summary>New streams with one slot each, halved at random.</summary>
    public async Task OfferAsync(int count, Random random)
    {
        _last.Clear();
        for (int i = 0; i < count; i++)
        {
            Chain chain = new(cluster.File.Committee.Cluster, signer, ProcessCluster.NewTopic());
            bool[] sawOne = [.. Enumerable.Range(0, ProcessCluster.Count).Select(_ => random.Next(2) == 0)];
            _last.Add((chain.Batch(0, "one"u8.ToArray()), chain.Batch(0, "other"u8.ToArray()), sawOne));
            Offered++;
        }

        await SendAsync(isOther: false);
    }

    /// <summary>To each witness what the others saw.</summary>
    public Task OfferOtherAsync() => SendAsync(isOther: true);

    private async Task SendAsync(bool isOther)
    {
        foreach ((SignedBatch one, SignedBatch other, bool[] sawOne) in _last)
        {
            for (int witness = 0; witness < ProcessCluster.Count; witness++)
            {
                await tap.SendAsync(witness, sawOne[witness] != isOther ? one : other);
            }
        }
    }
}
