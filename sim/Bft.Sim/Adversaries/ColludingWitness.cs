using System.Buffers;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>A witness that does its duty for cover, tells the others of its kind all it hears, and claims whatever helps them.</summary>
internal sealed class ColludingWitness(SimulatedCluster cluster, int id, string name, WitnessIndex index) : MutatorWitness(cluster, id, name, index)
{
    private Slander? _slander;
    private AckRootStatement? _root;

    /// <summary>It neither speaks nor listens before then. Unit: nanoseconds.</summary>
    public long MuteUntil { get; set; }

    /// <summary>It answers with other bodies than were asked for.</summary>
    public bool GivesGarbage { get; set; }

    private bool IsMute => MuteUntil > Cluster.Simulation.Now;

    /// <summary>Its lies are told by the conspiracy; by itself it hardly slips.</summary>
    protected override int BentPpm => 2_000;

    public override void OnMessage(Connection connection, byte[] bytes)
    {
        if (!IsMute)
        {
            Cluster.Conspiracy.Learn(FrameCodec.Decode<IFrame>(new ReadOnlySequence<byte>(bytes)));
            base.OnMessage(connection, bytes);
        }
    }

    private AckRootStatement Root => _root ?? new AckRootStatement(Cluster.Committee.Cluster, Cluster.Committee.Epoch, Index, new Protocol.Model.Run(1), new Mark(1), 1, default);

    /// <summary>Acks of its own, for anything.</summary>
    public AckBundle Claim(params AckStatement[] claims) => Forge.Sign(Root, claims);

    /// <summary>An ack of its own that belongs elsewhere.</summary>
    public AckBundle ClaimIn(AckStatement claim, ClusterId elsewhere, Epoch epoch) => Forge.Sign(Root with { Cluster = elsewhere, Epoch = epoch }, claim);

    /// <summary>Tells a peer something.</summary>
    public void Tell(int witness, IExchangeRequest frame)
    {
        if (!IsMute && CallTo(witness) is { } call)
        {
            Cluster.Network.Send(call, this, frame);
        }
    }

    /// <summary>Shows a reader a certificate with statements and bodies, past its own store.</summary>
    /// <returns>Whether that reader has a call here.</returns>
    public bool TryShow(Party reader, Topic topic, CertifiedFrame certified, IReadOnlyList<VerifiedBatch> batches)
    {
        bool isShown = false;
        foreach (Connection call in ReadersOf(topic).Where(call => call.Client == reader && !IsMute).ToArray())
        {
            isShown = true;
            if (call.Kind == ChannelKind.Tips)
            {
                Cluster.Network.Send(call, this, new TipFrame(certified.Certificate));
                continue;
            }

            Cluster.Network.Send(call, this, certified);
            foreach (VerifiedBatch batch in batches)
            {
                Cluster.Network.Send(call, this, new BodyFrame(batch.Reference.Slot, GivesGarbage ? new byte[batch.Body.Length] : batch.Body));
            }
        }

        return isShown;
    }

    protected override void OnTick()
    {
        base.OnTick();
        if (!Cluster.All.OfType<ConspiringPublisher>().Any(publisher => publisher.IsScripted))
        {
            (_slander ??= new Slander(Cluster, this)).OnTick();
        }
    }

    protected override void Send(Connection connection, IFrame frame)
    {
        if (IsMute || IsKeptSecret(frame))
        {
            return;
        }

        if (frame is AcksFrame acks && AckBundle.TryParse(Cluster.Committee.Cluster, acks.Bundle.Span, out AckBundle? bundle))
        {
            _root = bundle.Root;
            Cluster.Conspiracy.Learn(frame);
        }

        base.Send(connection, GivesGarbage && frame is BodyFrame body ? new BodyFrame(body.Slot, new byte[body.Body.Length]) : frame);
    }

    private bool IsKeptSecret(IFrame frame) => frame switch
    {
        AcksFrame acks => AckBundle.TryParse(Cluster.Committee.Cluster, acks.Bundle.Span, out AckBundle? bundle)
            && bundle.Leaves.Any(leaf => Cluster.Conspiracy.IsSecret(leaf.Statement.Batch)),
        TipFrame tip => IsSecret(tip.Certificate),
        CertifiedFrame certified => IsSecret(certified.Certificate),
        _ => false,
    };

    private bool IsSecret(ReadOnlyMemory<byte> certificate) =>
        QuorumCertificate.TryParse(certificate.Span, out QuorumCertificate? parsed) && Cluster.Conspiracy.IsSecret(parsed.Batch);
}
