using Bft.Client.Tests.Support;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Node.Tests.Support;
using Bft.Protocol.Bodies;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Client.Tests;

public sealed class FaultTests
{
    private static readonly WitnessIndex Last = new(3);

    [Fact]
    public async Task P5_one_witness_down_from_the_start_stops_nothing()
    {
        await using LocalCluster cluster = new();
        await StartAsync(cluster, 3);
        Topic topic = Clients.NewTopic();
        await using BftClient client = cluster.Connect();
        await using Publisher publisher = await client.OpenPublisherAsync(topic);
        await using Subscription subscription = await client.SubscribeAsync(topic, new SubscriptionOptions { FirstServing = Last });
        byte[][] sent = await SendAsync(publisher, 0, 100);

        Assert.Equal(sent, await subscription.ReadAsync(100));
    }

    [Fact]
    public async Task R4_the_serving_witness_stops_half_way_and_another_goes_on()
    {
        await using LocalCluster cluster = await LocalCluster.StartedAsync();
        Topic topic = Clients.NewTopic();
        await using BftClient client = cluster.Connect();
        await using Publisher publisher = await client.OpenPublisherAsync(topic);
        await using Subscription subscription = await client.SubscribeAsync(topic, new SubscriptionOptions { FirstServing = Last });
        byte[][] before = await SendAsync(publisher, 0, 100);
        Task<List<byte[]>> reading = subscription.ReadAsync(200);

        await cluster.StopAsync(3);
        byte[][] after = await SendAsync(publisher, 100, 100);

        Assert.Equal([.. before, .. after], await reading);
    }

    [Fact]
    public async Task P3_a_witness_that_comes_back_gets_what_it_missed()
    {
        await using LocalCluster cluster = await LocalCluster.StartedAsync();
        Topic topic = Clients.NewTopic();
        await using BftClient client = cluster.Connect();
        await using Publisher publisher = await client.OpenPublisherAsync(topic);
        await SendAsync(publisher, 0, 20);
        await cluster.StopAsync(0);
        await SendAsync(publisher, 20, 20);

        await cluster.StartAsync(0);
        await cluster.StopAsync(1);
        byte[][] last = await SendAsync(publisher, 40, 1);

        await using Subscription subscription = await client.SubscribeAsync(topic);
        Assert.Equal(last[0], (await subscription.ReadAsync(41))[^1]);
    }

    [Fact]
    public async Task A_wrong_pin_is_refused_and_said()
    {
        await using LocalCluster cluster = await LocalCluster.StartedAsync();
        Digest other = Sha256.Hash([1]);
        ClusterFile wrong = ClusterFile.Parse(cluster.File.ToYaml().Replace(cluster.File.Witnesses[3].Pin.ToString(), other.ToString(), StringComparison.Ordinal), "wrong");
        TaskCompletionSource<WrongPin> said = new(TaskCreationOptions.RunContinuationsAsynchronously);
        List<WitnessIndex> reached = [];
        await using BftClient client = cluster.Connect(file: wrong, onNotice: notice =>
        {
            if (notice is WrongPin pin)
            {
                said.TrySetResult(pin);
            }
            else if (notice is WitnessReached one)
            {
                lock (reached)
                {
                    reached.Add(one.Witness);
                }
            }
        });

        await using Publisher publisher = await client.OpenPublisherAsync(Clients.NewTopic());
        await publisher.PublishAsync(new Message("enough others"u8.ToArray()), Clients.Deadline);
        WrongPin notice = await said.Task.WaitAsync(LocalCluster.Patience);

        Assert.Equal(new WrongPin(Last, other, cluster.File.Witnesses[3].Pin), notice);
        lock (reached)
        {
            Assert.DoesNotContain(Last, reached);
        }
    }

    [Fact]
    public async Task R1_a_forged_body_is_not_delivered()
    {
        await ForgedIsNotDelivered(reply => reply is BodyFrame body ? body with { Body = Changed(body.Body) } : reply);
    }

    [Fact]
    public async Task R1_a_forged_certificate_is_not_believed()
    {
        await ForgedIsNotDelivered(reply => reply switch
        {
            CertifiedFrame frame => frame with { Certificate = Changed(frame.Certificate) },
            TipFrame tip => tip with { Certificate = Changed(tip.Certificate) },
            _ => reply,
        });
    }

    [Fact]
    public async Task R4_a_witness_that_withholds_bodies_is_replaced()
    {
        await ForgedIsNotDelivered(reply => reply is BodyFrame or CertifiedFrame ? new HeartbeatFrame() : reply);
    }

    [Fact]
    public async Task R4_a_witness_that_hides_one_stream_is_noticed_within_two_seconds()
    {
        await using LocalCluster cluster = new();
        await StartAsync(cluster, 3);
        StreamId? shown = null;
        await using ByzantineWitness liar = await ByzantineWitness.StartAsync(cluster, 3, honest: 0, reply =>
        {
            StreamId? about = reply switch
            {
                CertifiedFrame frame when QuorumCertificate.TryParse(frame.Certificate.Span, out QuorumCertificate? certificate) => certificate.Batch.Stream,
                TipFrame tip when QuorumCertificate.TryParse(tip.Certificate.Span, out QuorumCertificate? certificate) => certificate.Batch.Stream,
                BodyFrame body => body.Slot.Stream,
                _ => null,
            };
            shown ??= about;
            return about is null || about == shown ? reply : new HeartbeatFrame();
        });
        Topic topic = Clients.NewTopic();
        long? reached = null;
        TaskCompletionSource<long> noticed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using BftClient publishing = cluster.Connect();
        await using BftClient reading = cluster.Connect(onNotice: notice =>
        {
            if (notice is WitnessReached { Witness: var witness } && witness == Last)
            {
                reached ??= Environment.TickCount64;
            }
            else if (notice is WitnessLost lost && lost.Witness == Last)
            {
                // Its tips are not what its digest is over, or others prove more than it serves: whichever shows first.
                noticed.TrySetResult(Environment.TickCount64);
            }
        });
        await using Publisher one = await publishing.OpenPublisherAsync(topic, new PublisherOptions { KeepJournal = false });
        await using Publisher other = await publishing.OpenPublisherAsync(topic, new PublisherOptions { KeepJournal = false });
        byte[][] sent = [.. await SendAsync(one, 0, 20), .. await SendAsync(other, 20, 20)];

        await using Subscription subscription = await reading.SubscribeAsync(topic, new SubscriptionOptions { FirstServing = Last });

        List<byte[]> read = await subscription.ReadAsync(40);
        Assert.Equal(sent.Select(payload => BitConverter.ToInt32(payload)), read.Select(payload => BitConverter.ToInt32(payload)).Order());
        Assert.InRange(await noticed.Task.WaitAsync(LocalCluster.Patience) - reached!.Value, 1, 2000);
    }

    [Fact]
    public async Task P4_without_a_quorum_a_publisher_waits_or_fails_as_chosen()
    {
        await using LocalCluster cluster = new();
        await using BftClient client = cluster.Connect();
        PublisherOptions options = new() { WhenFull = WhenFull.Fail, DisposeTimeout = TimeSpan.Zero };
        await using Publisher failing = await client.OpenPublisherAsync(Clients.NewTopic(), options);
        await using Publisher waiting = await client.OpenPublisherAsync(Clients.NewTopic(), options with { WhenFull = WhenFull.Wait });
        Message message = new(new byte[512 * 1024]);

        await Assert.ThrowsAsync<PublisherFullException>(async () =>
        {
            while (true)
            {
                await failing.SendAsync(message, Clients.Deadline);
            }
        });
        ValueTask<PublishTicket> last = default;
        using CancellationTokenSource cancelled = new();
        do
        {
            last = waiting.SendAsync(message, cancelled.Token);
            await Task.Yield();
        }
        while (last.IsCompleted);
        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => last.AsTask());
    }

    [Fact]
    public async Task A_key_that_the_witnesses_do_not_know_is_told_so()
    {
        await using LocalCluster cluster = await LocalCluster.StartedAsync();
        string yaml = cluster.File.ToYaml().Replace(cluster.Publisher.PublicKey.ToString(), cluster.Stranger.PublicKey.ToString(), StringComparison.Ordinal);
        await using BftClient client = cluster.Connect(cluster.Stranger, file: ClusterFile.Parse(yaml, "own copy"));

        await using Publisher publisher = await client.OpenPublisherAsync(Clients.NewTopic());
        await Assert.ThrowsAsync<PublishRefusedException>(() => publisher.PublishAsync(new Message("x"u8.ToArray()), Clients.Deadline).AsTask());
        await using Subscription subscription = await client.SubscribeAsync(Clients.NewTopic());
        await Assert.ThrowsAsync<SubscriptionRefusedException>(() => subscription.ReadAsync(1));
    }

    [Fact]
    public async Task P6_two_runs_with_a_copied_journal_expose_themselves()
    {
        await using LocalCluster cluster = await LocalCluster.StartedAsync();
        using TemporaryFolder data = new();
        Topic topic = Clients.NewTopic();
        await using BftClient client = cluster.Connect(data: data.Path);
        await PublishOneAsync(client, topic, "both know this");
        data.Save();
        using CountdownEvent open = new(2);
        void OnNotice(ClientNotice notice) => _ = notice is IncarnationOpened && open.Signal();
        await using BftClient original = cluster.Connect(data: data.Path, onNotice: OnNotice);
        await using BftClient copy = cluster.Connect(data: data.Saved, onNotice: OnNotice);
        PublisherOptions options = new() { DisposeTimeout = TimeSpan.Zero };
        await using Publisher one = await original.OpenPublisherAsync(topic, options);
        await using Publisher other = await copy.OpenPublisherAsync(topic, options);

        // Both have asked (P7) before either signs: neither can see the other coming.
        Assert.True(open.Wait(LocalCluster.Patience));

        Task[] published = [one.PublishAsync(new Message("one"u8.ToArray()), Clients.Deadline).AsTask(), other.PublishAsync(new Message("other"u8.ToArray()), Clients.Deadline).AsTask()];
        await Task.WhenAll(published).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);

        JournalLostException exposed = Assert.IsType<JournalLostException>(published.First(task => task.IsFaulted).Exception!.InnerException);
        Assert.Equal(new Sequence(1), exposed.Proof.Slot.Sequence);
        if (exposed.Proof is { Ours: { } ours, Shown: { } shown })
        {
            PublisherEquivocation evidence = new(SignedStatement.From(ours), SignedStatement.From(shown));
            Assert.True(new EvidenceVerifier(cluster.Committee, Ed25519.Instance).TryVerify(evidence, out VerifiedEvidence? verified, out _));
            Assert.Equal(client.Identity, verified.Offender);
        }
        else
        {
            Assert.NotNull(exposed.Proof.Certificate);
        }
    }

    private static async Task PublishOneAsync(BftClient client, Topic topic, string text)
    {
        await using Publisher publisher = await client.OpenPublisherAsync(topic);
        await publisher.PublishAsync(new Message(System.Text.Encoding.UTF8.GetBytes(text)), Clients.Deadline);
    }

    /// <summary>Three honest witnesses and one that forges, and that serves first.</summary>
    private static async Task ForgedIsNotDelivered(Func<ISubscribeReply, ISubscribeReply> forge)
    {
        await using LocalCluster cluster = new();
        await StartAsync(cluster, 3);
        await using ByzantineWitness liar = await ByzantineWitness.StartAsync(cluster, 3, honest: 0, forge);
        Topic topic = Clients.NewTopic();
        await using BftClient client = cluster.Connect();
        await using Publisher publisher = await client.OpenPublisherAsync(topic);
        byte[][] sent = await SendAsync(publisher, 0, 50);

        await using Subscription subscription = await client.SubscribeAsync(topic, new SubscriptionOptions { FirstServing = Last });

        Assert.Equal(sent, await subscription.ReadAsync(50));
        Assert.NotEqual(0, liar.Forged);
    }

    private static async Task StartAsync(LocalCluster cluster, int count)
    {
        for (int index = 0; index < count; index++)
        {
            await cluster.StartAsync(index);
        }
    }

    private static async Task<byte[][]> SendAsync(Publisher publisher, int first, int count)
    {
        byte[][] payloads = [.. Enumerable.Range(first, count).Select(i => BitConverter.GetBytes(i))];
        foreach (byte[] payload in payloads)
        {
            await publisher.SendAsync(new Message(payload), Clients.Deadline);
        }

        await publisher.FlushAsync(Clients.Deadline);
        return payloads;
    }

    private static byte[] Changed(ReadOnlyMemory<byte> bytes)
    {
        byte[] changed = bytes.ToArray();
        changed[^1] ^= 1;
        return changed;
    }
}
