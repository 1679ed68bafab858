using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Publishing;
using Bft.Protocol.Roles;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Tests.Publishing;

/// <summary>One publisher role with a real committee around it.</summary>
public abstract class PublisherFixture : IDisposable
{
    protected static readonly PublisherOptions Patience = new() { ResendFirstTicks = 10, ResendMaxTicks = 40, HandOverTicks = 5, RetiredTicks = 50 };

    protected PublisherFixture()
    {
        Cluster = new TestCluster(limits: ClusterLimits.Default with { WindowSlots = 4 });
        Signer = TestCluster.SignerOf('p', 0);
        Header = new StreamHeader(Cluster.Committee.Cluster, Signer.PublicKey, new Topic("orders"), new Incarnation(1, 7));
        Role = NewRole();
        Role.Continue();
    }

    protected TestCluster Cluster { get; }

    protected Ed25519Signer Signer { get; }

    protected StreamHeader Header { get; }

    protected PublisherRole Role { get; }

    protected PublisherEffects Effects { get; } = new();

    protected PublisherRole NewRole(Ancestor link = default) => new(Cluster.Committee, Header, Signer, Patience, link);

    protected static WitnessIndex W(int index) => new(index);

    protected VerifiedBatch Submit(string message = "m")
    {
        (BodyDescription description, byte[] body) = TestStream.Body(Cluster.Committee.Limits, message);
        return Role.Submit(description, body, owner: null, Effects);
    }

    /// <summary>Submitted and durable; whatever that made the role decide is cleared.</summary>
    protected VerifiedBatch[] Durable(int count)
    {
        VerifiedBatch[] batches = [.. Enumerable.Range(0, count).Select(_ => Submit())];
        Role.OnDurable(batches[^1].Sequence, Effects);
        Effects.Clear();
        return batches;
    }

    protected void Connect(params int[] witnesses)
    {
        foreach (int witness in witnesses)
        {
            Role.OnConnected(W(witness), Effects);
        }

        Effects.Clear();
    }

    protected void Ack(VerifiedBatch batch, params int[] witnesses)
    {
        foreach (int witness in witnesses)
        {
            Role.OnAcks([Cluster.Ack(witness, batch.Reference)], Effects);
        }
    }

    protected void Tick(int count)
    {
        for (int i = 0; i < count; i++)
        {
            Role.OnTick(Effects);
        }
    }

    /// <summary>What this witness is sent, by sequence.</summary>
    protected ulong[] SentTo(int witness) => [.. Effects.Sends.Where(send => send.To == W(witness)).Select(send => send.Batch.Sequence.Value)];

    protected ulong[] Covered() => [.. Effects.Covered.Select(covered => covered.Batch.Sequence.Value)];

    /// <summary>Another batch under our own key in a slot of our stream.</summary>
    protected VerifiedBatch Other(ulong sequence, Ancestor ancestor) => Cluster.Stream().Batch(sequence, ancestor, "something else");

    public void Dispose()
    {
        Cluster.Dispose();
        Signer.Dispose();
        GC.SuppressFinalize(this);
    }
}
