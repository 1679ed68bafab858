using System.Security.Cryptography;
using System.Text;
using Bft.Cli.Proofs;
using Bft.Client;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;
using Bft.Protocol.Receipts;
using Bft.Protocol.Verification;
using Bft.Storage;

namespace Bft.Cli.Demo;

/// <summary>Lies of three kinds, told to the real verifiers and the real witnesses: each is refused, or the demo fails.</summary>
internal static class Forgeries
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    /// <summary>Changes one byte of a certified message.</summary>
    public static string ChangeMessage(ClusterFile cluster, Receipt receipt, byte[] payload)
    {
        byte[] forged = receipt.Encode();
        int at = forged.AsSpan().LastIndexOf(payload) + (payload.Length / 2);
        forged[at] ^= 1;
        return Refused(cluster, forged);
    }

    /// <summary>Changes one byte of one witness's signature.</summary>
    public static string ChangeSignature(ClusterFile cluster, Receipt receipt)
    {
        byte[] forged = receipt.Encode();
        Span<byte> signature = stackalloc byte[Signature.Length];
        receipt.Certificate.Entries[0].Signature.CopyTo(signature);
        forged[forged.AsSpan().IndexOf(signature)] ^= 1;
        return Refused(cluster, forged);
    }

    /// <summary>Publishes under a key that the witnesses do not know, as somebody who has only cluster.yaml.</summary>
    public static async Task<string> PublishAsStrangerAsync(DemoCluster demo, Topic topic, CancellationToken cancellationToken)
    {
        string keyFile = Path.Combine(demo.Folder.Root, "stranger", "identity.key");
        using SecretBytes seed = new(KeyFile.SeedBytes);
        RandomNumberGenerator.Fill(seed.Span);
        KeyFile.Create(keyFile, seed.Span);
        using Ed25519Signer stranger = new(seed.Span);

        // The stranger's own copy of cluster.yaml lets it publish; the witnesses have theirs.
        string liar = demo.File.Clients.Single(client => client.Name == DemoCluster.Liar).Key.ToString();
        ClusterFile wishful = ClusterFile.Parse(demo.File.ToYaml().Replace(liar, stranger.PublicKey.ToString(), StringComparison.Ordinal), "the stranger's cluster.yaml");
        await using Publisher publisher = await demo.ConnectAs(keyFile, cluster: wishful)
            .OpenPublisherAsync(topic, new PublisherOptions { DisposeTimeout = TimeSpan.Zero }, cancellationToken);
        try
        {
            PublishTicket ticket = await publisher.SendAsync(new Message(Encoding.UTF8.GetBytes("a rate from nobody\n")), cancellationToken);
            await ticket.Certified.WaitAsync(Limit, cancellationToken);
        }
        catch (PublishRefusedException refused)
        {
            return refused.Message;
        }

        throw new InvalidOperationException("the witnesses certified what a stranger published.");
    }

    private static string Refused(ClusterFile cluster, byte[] forged) =>
        new ReceiptVerifier(cluster.Committee, Ed25519.Instance).TryVerify(forged, out _, out RejectReason reason)
            ? throw new InvalidOperationException("a forgery was taken for the truth.")
            : Reasons.Sentence(reason);
}
