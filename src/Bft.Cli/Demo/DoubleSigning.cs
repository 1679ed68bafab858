using System.Text;
using Bft.Client;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;
using Bft.Protocol.Publishing;
using Bft.Protocol.Verification;

namespace Bft.Cli.Demo;

/// <summary>A publisher that equivocates: it copies its journal and goes on with both, so that one key signs two batches for one slot.</summary>
internal static class DoubleSigning
{
    private const int AttemptsMax = 5;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    /// <summary>Does it, until a witness answers with the other original.</summary>
    /// <returns>Both originals.</returns>
    public static async Task<Evidence> CommitAsync(DemoCluster demo, Topic topic, CancellationToken cancellationToken)
    {
        for (int attempt = 0; attempt < AttemptsMax; attempt++)
        {
            string first = Path.Combine(demo.Folder.Root, $"liar-{attempt}-first");
            string second = Path.Combine(demo.Folder.Root, $"liar-{attempt}-second");
            await PublishOneAsync(demo, topic, first, cancellationToken);
            Copy(first, second);
            if (await TryContradictAsync(demo, topic, first, second, cancellationToken) is { } proof)
            {
                return new PublisherEquivocation(SignedStatement.From(proof.Ours!), SignedStatement.From(proof.Shown!));
            }
        }

        throw new InvalidOperationException("no witness showed a second original.");
    }

    private static async Task PublishOneAsync(DemoCluster demo, Topic topic, string data, CancellationToken cancellationToken)
    {
        await using BftClient client = demo.Connect(DemoCluster.Liar, data);
        await using Publisher publisher = await client.OpenPublisherAsync(topic, cancellationToken: cancellationToken);
        await publisher.PublishAsync(Text("opening balance 5,000\n"), cancellationToken);
    }

    /// <summary>Two publishers, one key, one stream, one slot: whichever is later at a witness is shown the other's original.</summary>
    private static async Task<JournalLost?> TryContradictAsync(DemoCluster demo, Topic topic, string firstData, string secondData, CancellationToken cancellationToken)
    {
        Client.PublisherOptions options = new() { DisposeTimeout = TimeSpan.Zero };
        await using BftClient firstClient = demo.Connect(DemoCluster.Liar, firstData);
        await using BftClient secondClient = demo.Connect(DemoCluster.Liar, secondData);
        await using Publisher first = await firstClient.OpenPublisherAsync(topic, options, cancellationToken);
        await using Publisher second = await secondClient.OpenPublisherAsync(topic, options, cancellationToken);
        Task<JournalLost?>[] ends =
        [
            SendAsync(first, "pay 5,000 to Bob\n", cancellationToken),
            SendAsync(second, "pay 5,000 to Carol\n", cancellationToken),
        ];
        JournalLost?[] proofs = await Task.WhenAll(ends);
        return proofs.FirstOrDefault(proof => proof is { Ours: not null, Shown: not null });
    }

    private static async Task<JournalLost?> SendAsync(Publisher publisher, string text, CancellationToken cancellationToken)
    {
        try
        {
            PublishTicket ticket = await publisher.SendAsync(Text(text), cancellationToken);
            await ticket.Certified.WaitAsync(Limit, cancellationToken);
            return null;
        }
        catch (JournalLostException lost)
        {
            return lost.Proof;
        }
        catch (Exception error) when (error is PublishException or TimeoutException)
        {
            return null;
        }
    }

    private static Message Text(string text) => new(Encoding.UTF8.GetBytes(text));

    private static void Copy(string from, string to)
    {
        foreach (string directory in Directory.EnumerateDirectories(from, "*", SearchOption.AllDirectories).Prepend(from))
        {
            Directory.CreateDirectory(directory.Replace(from, to, StringComparison.Ordinal));
        }

        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            File.Copy(file, file.Replace(from, to, StringComparison.Ordinal));
        }
    }
}
