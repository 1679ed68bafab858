using System.Text;
using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Bodies;
using Bft.Protocol.Certifying;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Node.Tests.Support;

/// <summary>A publisher stripped to the wire: signs a chain of batches, sends them to the witnesses named, collects acks.</summary>
public sealed class TestPublisher : IDisposable
{
    private readonly LocalCluster _cluster;
    private readonly Ed25519Signer _signer;
    private readonly AckVerifier _acks;
    private readonly AckCollector _collector;
    private readonly List<TestConnection> _connections = [];
    private readonly List<SignedBatch> _batches = [];
    private Digest _last;

    public TestPublisher(LocalCluster cluster, string topic = "orders", ulong incarnation = 1, Ed25519Signer? signer = null)
    {
        _cluster = cluster;
        _signer = signer ?? cluster.Publisher;
        _acks = new AckVerifier(cluster.Committee, Ed25519.Instance, NodeLimits.Default.RememberedRootsMax);
        _collector = new AckCollector(cluster.Committee);
        Header = new StreamHeader(cluster.Committee.Cluster, _signer.PublicKey, new Topic(topic), new Incarnation(incarnation, 7));
    }

    public StreamHeader Header { get; }

    public List<TestCall<IPublishRequest, IPublishReply>> Calls { get; } = [];

    public IReadOnlyList<SignedBatch> Batches => _batches;

    public async Task<TestPublisher> ConnectAsync(params int[] witnesses)
    {
        foreach (int witness in witnesses)
        {
            TestConnection connection = new(_cluster, witness);
            _connections.Add(connection);
            Calls.Add(await connection.PublishAsync(_signer));
        }

        return this;
    }

    /// <summary>The next batch of the chain, signed, not sent.</summary>
    public SignedBatch Append(params string[] messages)
    {
        SignedBatch batch = Sign((ulong)_batches.Count, _batches.Count == 0 ? Ancestor.None : Ancestor.Previous(_last), messages);
        _last = Sha256.Hash(batch.Statement.Span);
        _batches.Add(batch);
        return batch;
    }

    public SignedBatch Sign(ulong sequence, Ancestor ancestor, params string[] messages)
    {
        BodyBuilder builder = new(_cluster.File.Limits);
        foreach (string message in messages.DefaultIfEmpty($"message {sequence}"))
        {
            Assert.True(builder.TryAdd(new Message(Encoding.UTF8.GetBytes(message))));
        }

        byte[] body = new byte[builder.BodyLength];
        BatchStatement statement = BatchStatement.Create(Header, new Sequence(sequence), ancestor, builder.Build(body));
        return new SignedBatch(statement.Bytes, _signer.Sign(statement.Bytes.Span), body);
    }

    public async Task SendAsync(SignedBatch batch)
    {
        foreach (TestCall<IPublishRequest, IPublishReply> call in Calls)
        {
            await call.WriteAsync(new BatchFrame(batch));
        }
    }

    /// <summary>Publishes one batch and waits until a quorum has acked it.</summary>
    public async Task<VerifiedCertificate> PublishAsync(params string[] messages)
    {
        SignedBatch batch = Append(messages);
        await SendAsync(batch);
        return await CertificateAsync(new Sequence((ulong)_batches.Count - 1));
    }

    public async Task PublishManyAsync(int count)
    {
        for (int i = 0; i < count; i++)
        {
            await PublishAsync();
        }
    }

    /// <summary>P5: reads every call until the acks certify the slot.</summary>
    public Task<VerifiedCertificate> CertificateAsync(Sequence slot) => CertificateOfAsync(slot, [.. Enumerable.Range(0, Calls.Count)]);

    /// <summary>The same, of the calls named alone.</summary>
    public async Task<VerifiedCertificate> CertificateOfAsync(Sequence slot, params int[] calls)
    {
        foreach (TestCall<IPublishRequest, IPublishReply> call in calls.Select(index => Calls[index]))
        {
            bool answered = false;
            while (!answered && _collector.TryCertify(slot) is null)
            {
                switch (await call.NextAsync())
                {
                    case AcksFrame frame:
                        foreach (VerifiedAck ack in Verify(frame))
                        {
                            _collector.OnAck(ack, out _);
                            answered |= ack.Batch.Sequence >= slot;
                        }

                        break;
                    case TipFrame tip:
                        // W5: a witness that learned of the certificate before it saw the batch acks no more.
                        Assert.True(_acks.TryVerifyCertificate(tip.Certificate.Span, out VerifiedCertificate? certificate, out _));
                        if (certificate.Batch.Sequence >= slot)
                        {
                            return certificate;
                        }

                        break;
                    case { } other:
                        throw new InvalidOperationException($"Unexpected {other}.");
                    case null:
                        throw new InvalidOperationException("The call ended.");
                }
            }
        }

        return _collector.TryCertify(slot) ?? throw new InvalidOperationException($"No quorum acked slot {slot}.");
    }

    public async Task<VerifiedAck[]> AcksAsync(TestCall<IPublishRequest, IPublishReply> call)
    {
        return Verify(await call.NextAsync<AcksFrame>());
    }

    public void Dispose()
    {
        Calls.ForEach(call => call.Dispose());
        _connections.ForEach(connection => connection.Dispose());
    }

    private VerifiedAck[] Verify(AcksFrame frame)
    {
        Assert.True(AckBundle.TryParse(_cluster.Committee.Cluster, frame.Bundle.Span, out AckBundle? bundle));
        Assert.True(_acks.TryVerify(bundle, out VerifiedAck[]? acks, out RejectReason reason), reason.ToString());
        return acks;
    }
}
