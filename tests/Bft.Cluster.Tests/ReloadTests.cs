using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Bft.Client;
using Bft.Cluster.Tests.Support;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;
using Delivery = Bft.Client.Delivery;

namespace Bft.Cluster.Tests;

/// <summary>What may be replaced while witnesses run: SIGHUP reads cluster.yaml and the TLS certificate again.</summary>
public sealed partial class ReloadTests : IAsyncLifetime
{
    private ProcessCluster _cluster = null!;

    public async Task InitializeAsync() => _cluster = await ProcessCluster.StartedAsync();

    public Task DisposeAsync() => _cluster.DisposeAsync().AsTask();

    [Fact]
    public async Task A_client_that_is_struck_off_loses_its_open_calls_and_one_that_is_put_back_is_served_while_others_go_on()
    {
        Topic topic = ProcessCluster.NewTopic();
        await using BftClient writing = _cluster.Connect("publisher");
        await using BftClient reading = _cluster.Connect("reader");
        await using Publisher publisher = await writing.OpenPublisherAsync(topic, cancellationToken: ProcessCluster.Deadline);
        await using Subscription open = await reading.SubscribeAsync(topic, cancellationToken: ProcessCluster.Deadline);
        await publisher.PublishAsync(new Message("before"u8.ToArray()), ProcessCluster.Deadline);
        await using IAsyncEnumerator<Delivery> deliveries = open.GetAsyncEnumerator(ProcessCluster.Deadline);
        Assert.True(await deliveries.MoveNextAsync());

        string whole = await File.ReadAllTextAsync(_cluster.ClusterPath);
        await File.WriteAllTextAsync(_cluster.ClusterPath, Reader().Replace(whole, ""));
        await HangUpAsync("read ");
        await publisher.PublishAsync(new Message("between"u8.ToArray()), ProcessCluster.Deadline);
        await Assert.ThrowsAsync<SubscriptionRefusedException>(async () => await deliveries.MoveNextAsync());

        await File.WriteAllTextAsync(_cluster.ClusterPath, whole);
        await HangUpAsync("read ");
        await using Subscription again = await reading.SubscribeAsync(topic, cancellationToken: ProcessCluster.Deadline);
        int received = 0;
        await foreach (Delivery delivery in again.WithCancellation(ProcessCluster.Deadline))
        {
            Assert.Equal(received == 0 ? "before"u8 : "between"u8, delivery.Message.Payload.Span);
            if (++received == 2)
            {
                break;
            }
        }
    }

    [Fact]
    public async Task A_cluster_file_that_cannot_be_used_or_is_another_clusters_changes_nothing()
    {
        string whole = await File.ReadAllTextAsync(_cluster.ClusterPath);
        await File.WriteAllTextAsync(_cluster.ClusterPath, whole + "surprise: 1\n");
        await _cluster[0].HangUpAsync("goes on with what it had");
        await File.WriteAllTextAsync(_cluster.ClusterPath, whole.Replace("cluster: \"bft\"", "cluster: \"other\"", StringComparison.Ordinal));
        await _cluster[0].HangUpAsync("goes on with what it had");
        await File.WriteAllTextAsync(_cluster.ClusterPath, whole);

        Assert.Contains("surprise", _cluster[0].Log, StringComparison.Ordinal);
        Assert.Contains("make the cluster id", _cluster[0].Log, StringComparison.Ordinal);
        await _cluster.AssertServesAsync(0);
    }

    [Fact]
    public async Task A_renewed_certificate_of_the_same_key_is_shown_from_then_on()
    {
        string home = Path.Combine(_cluster.Folder, "witness-0");
        using ECDsa key = ECDsa.Create();
        key.ImportFromPem(await File.ReadAllTextAsync(Path.Combine(home, "tls.key")));
        CertificateRequest request = new("CN=renewed", key, HashAlgorithmName.SHA256);
        using X509Certificate2 renewed = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        await File.WriteAllTextAsync(Path.Combine(home, "tls.pem"), renewed.ExportCertificatePem());

        await _cluster[0].HangUpAsync("read ");

        await using SslStream stream = await RawClient.DialTlsAsync(_cluster.File.Witnesses[0]);
        Assert.Equal("CN=renewed", stream.RemoteCertificate?.Subject);
        await _cluster.AssertServesAsync(0);
    }

    [Fact]
    public async Task A_TLS_key_is_replaced_without_a_gap()
    {
        string home = Path.Combine(_cluster.Folder, "witness-0");
        string whole = await File.ReadAllTextAsync(_cluster.ClusterPath);
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 next = new CertificateRequest("CN=next", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        string pin = $"pin: \"{_cluster.File.Witnesses[0].Pin}\"";
        string nextPin = $"in: \"{Sha256.Hash(next.PublicKey.ExportSubjectPublicKeyInfo())}\"";

        // Everybody knows both keys; then it has the new one; then everybody forgets the old one.
        await File.WriteAllTextAsync(_cluster.ClusterPath, whole.Replace(pin, $"{pin}\n    nextP{nextPin}", StringComparison.Ordinal));
        await HangUpAsync("read ");
        await using BftClient client = _cluster.Connect("publisher", ClusterFile.Load(_cluster.ClusterPath));
        await using Publisher publisher = await client.OpenPublisherAsync(ProcessCluster.NewTopic(), cancellationToken: ProcessCluster.Deadline);
        await publisher.PublishAsync(new Message("under the old key"u8.ToArray()), ProcessCluster.Deadline);

        await File.WriteAllTextAsync(Path.Combine(home, "tls.pem"), next.ExportCertificatePem());
        await File.WriteAllTextAsync(Path.Combine(home, "tls.key"), key.ExportPkcs8PrivateKeyPem());
        await _cluster[0].HangUpAsync("read ");
        await File.WriteAllTextAsync(_cluster.ClusterPath, whole.Replace(pin, $"p{nextPin}", StringComparison.Ordinal));
        await HangUpAsync("read ");

        // Of the other three one is away: without the first witness nothing is certified.
        await _cluster.KillAsync(3);
        await publisher.PublishAsync(new Message("under the new key"u8.ToArray()), ProcessCluster.Deadline);
        await using SslStream stream = await RawClient.DialTlsAsync(ClusterFile.Load(_cluster.ClusterPath).Witnesses[0]);
        Assert.Equal("CN=next", stream.RemoteCertificate?.Subject);
    }

    private Task HangUpAsync(string words) => Task.WhenAll(Enumerable.Range(0, ProcessCluster.Count).Select(index => _cluster[index].HangUpAsync(words)));

    [GeneratedRegex("^ *- name: \"reader\"\\n.*\\n|, \"reader\"", RegexOptions.CultureInvariant | RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Reader();
}
