using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;
using Covered = Bft.Protocol.Receiving.Delivery;

namespace Bft.Client.Tests.Support;

/// <summary>A receiver's driver with a clock of the test's, and witnesses that do what the test says.</summary>
public abstract class DriverFixture : IDisposable
{
    private protected static readonly WitnessIndex Server = new(0);

    private protected DriverFixture() => Driver = NewDriver(Options);

    private protected static SubscriptionOptions Options { get; } = new() { FirstServing = Server };

    private protected TestCluster Cluster { get; } = new();

    private protected Host Outputs { get; } = new();

    private protected ReceiverDriver Driver { get; set; }

    private protected long Now { get; private set; } = 1000;

    private protected ReceiverDriver NewDriver(SubscriptionOptions options) => new(Cluster.Committee, Ed25519.Instance, new Topic("orders"), null, options, chance: 7, Outputs);

    /// <summary>Ticks of 20 ms, as the host's; what the driver dials is opened at once, and witnesses say that they are alive.</summary>
    private protected void Run(int milliseconds, params WitnessIndex[] silent)
    {
        for (long end = Now + milliseconds; Now < end;)
        {
            Now += 20;
            Driver.OnTick(Now);
            OpenAll();
            if (Now % 1000 == 0)
            {
                foreach ((WitnessIndex witness, SubscriptionChannel channel) in Outputs.Open.Where(open => !silent.Contains(open.Witness)).ToArray())
                {
                    Driver.OnFrame(witness, channel, new HeartbeatFrame());
                }
            }
        }
    }

    private protected void OpenAll()
    {
        while (Outputs.Dialled.TryDequeue(out (WitnessIndex Witness, SubscriptionChannel Channel) dialled))
        {
            if (Outputs.Open.Contains(dialled))
            {
                Driver.OnOpened(dialled.Witness, dialled.Channel);
            }
        }
    }

    private protected void Tip(WitnessIndex from, VerifiedBatch batch) => Driver.OnFrame(from, SubscriptionChannel.Tips, new TipFrame(Cluster.Certify(batch.Reference).Certificate.Bytes));

    /// <summary>A tip from each witness that is watched.</summary>
    private protected void TipFromAll(VerifiedBatch batch)
    {
        foreach (WitnessIndex witness in Outputs.Watched)
        {
            Tip(witness, batch);
        }
    }

    private protected void Serve(WitnessIndex from, params VerifiedBatch[] batches)
    {
        VerifiedCertificate certificate = Cluster.Certify(batches[^1].Reference, batches[0].Sequence.Value);
        Driver.OnFrame(from, SubscriptionChannel.Bodies, new CertifiedFrame(certificate.Certificate.Bytes, [.. batches.Select(batch => SignedStatement.From(batch.Statement))]));
        foreach (VerifiedBatch batch in batches)
        {
            Driver.OnFrame(from, SubscriptionChannel.Bodies, new BodyFrame(batch.Reference.Slot, batch.Body));
        }
    }

    public void Dispose()
    {
        Cluster.Dispose();
        GC.SuppressFinalize(this);
    }

    internal sealed class Host : IReceiverOutputs
    {
        public List<(WitnessIndex Witness, SubscriptionChannel Channel)> Open { get; } = [];

        public Queue<(WitnessIndex, SubscriptionChannel)> Dialled { get; } = new();

        public List<StartFrame> Starts { get; } = [];

        public List<(WitnessIndex Witness, IPublishRequest Frame)> HandedOver { get; } = [];

        public List<Covered> Delivered { get; } = [];

        public List<ClientNotice> Notices { get; } = [];

        public Fork? Fork { get; private set; }

        public string? RefusedWhy { get; private set; }

        public WitnessIndex[] Watched => [.. Open.Where(open => open.Channel == SubscriptionChannel.Tips).Select(open => open.Witness)];

        public WitnessIndex? Serving => Open.Where(open => open.Channel == SubscriptionChannel.Bodies).Select(open => (WitnessIndex?)open.Witness).SingleOrDefault();

        void IReceiverOutputs.Open(WitnessIndex witness, StartFrame start, SubscriptionChannel channel)
        {
            Assert.DoesNotContain((witness, channel), Open);
            Open.Add((witness, channel));
            Dialled.Enqueue((witness, channel));
            if (channel == SubscriptionChannel.Bodies)
            {
                Starts.Add(start);
            }
        }

        public void Close(WitnessIndex witness, SubscriptionChannel channel) => Assert.True(Open.Remove((witness, channel)));

        public void HandOver(WitnessIndex witness, IReadOnlyList<IPublishRequest> frames) => HandedOver.AddRange(frames.Select(frame => (witness, frame)));

        public void Started(Cursor start)
        {
        }

        public void Deliver(Covered covered, bool isPossibleRepeat) => Delivered.Add(covered);

        public void Forked(Fork fork, IReadOnlyList<VerifiedEvidence> evidence) => Fork = fork;

        public void Refused(string why) => RefusedWhy = why;

        public void Notify(ClientNotice notice) => Notices.Add(notice);
    }
}
