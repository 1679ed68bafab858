using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Roles;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Tests.Receiving;

/// <summary>One receiver role of the topic "orders", with a real committee around it.</summary>
public abstract class ReceiverFixture : IDisposable
{
    protected const int Window = 4;

    protected static readonly ReceiverOptions Patience = new() { HandOverTicks = 5, LagTicks = 20, RetryMaxTicks = 100 };

    protected ReceiverFixture()
    {
        Cluster = new TestCluster(limits: ClusterLimits.Default with { WindowSlots = Window });
        Role = NewRole(new Cursor(new Topic("orders")));
    }

    protected TestCluster Cluster { get; }

    protected ReceiverRole Role { get; set; }

    protected ReceiverEffects Effects { get; } = new();

    protected ReceiverRole NewRole(Cursor start, ReceiverOptions? options = null) => new(Cluster.Committee, Cluster.Batches, start, options ?? Patience);

    protected static WitnessIndex W(int index) => new(index);

    protected static SignedStatement[] Statements(params IEnumerable<VerifiedBatch> batches) => [.. batches.Select(batch => SignedStatement.From(batch.Statement))];

    /// <summary>Serves batches under one certificate for the last of them, which covers them all.</summary>
    protected VerifiedCertificate Serve(int from, params VerifiedBatch[] batches)
    {
        VerifiedCertificate certificate = Cluster.Certify(batches[^1].Reference, batches[0].Sequence.Value);
        Serve(from, certificate, batches);
        return certificate;
    }

    protected void Serve(int from, VerifiedCertificate certificate, params VerifiedBatch[] batches)
    {
        Role.OnRange(W(from), certificate, Statements(batches), Effects);
        foreach (VerifiedBatch batch in batches)
        {
            Body(from, batch);
        }
    }

    protected bool Body(int from, VerifiedBatch batch) => Role.OnBody(W(from), batch.Reference.Stream, batch.Sequence, batch.Body, owner: null, Effects);

    protected void Tip(int from, VerifiedBatch batch) => Role.OnTip(W(from), Cluster.Certify(batch.Reference), Effects);

    protected void Tick(int count)
    {
        for (int i = 0; i < count; i++)
        {
            Role.OnTick(Effects);
        }
    }

    protected BatchRef[] Delivered() => [.. Effects.Deliveries.Select(delivery => delivery.Batch.Reference)];

    protected static BatchRef[] Refs(params IEnumerable<VerifiedBatch> batches) => [.. batches.Select(batch => batch.Reference)];

    public void Dispose()
    {
        Cluster.Dispose();
        GC.SuppressFinalize(this);
    }
}
