using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Roles;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Storage.Tests;

/// <summary>A witness driven as a host drives it, each input flushed at once.</summary>
internal sealed class StoringWitness : IDisposable
{
    private static readonly WitnessIndex Self = new(0);
    private readonly WitnessEffects _effects = new();
    private long _now = 1_000_000;

    public StoringWitness(TestCluster cluster, IDisk disk, RetentionPolicy? policy = null, int segmentBytes = 4096, NodeLimits? limits = null, ulong run = 1)
    {
        Store = new BatchStore(pageRows: 2); // so that a few batches fill pages
        Role = new WitnessRole(cluster.Committee, Self, cluster.SignerOf(Self), limits ?? NodeLimits.Default);
        JournalOptions options = new() { NewId = new JournalId(7), SegmentBytes = segmentBytes };
        Journal = WitnessJournal.Open(disk, options, cluster.Committee, Self, Ed25519.Instance, Role, Store, policy is null ? null : _ => policy);
        Role.OnTick(_now, _effects);
        Journal.OnTick(_now);
        Do((role, effects) => role.Start(new Run(run), effects));

        // W9: all peers answer at once that they hold nothing of it.
        Do((role, effects) =>
        {
            for (int peer = 1; peer < CommitteeSize.Min; peer++)
            {
                role.OnRecall(new WitnessIndex(peer), [], null, new Run(run), effects);
            }
        });
    }

    public WitnessRole Role { get; }

    public BatchStore Store { get; }

    public WitnessJournal Journal { get; }

    public int Checkpoints { get; private set; }

    /// <summary>Acks that left.</summary>
    public List<AckStatement> Acks { get; } = [];

    public List<Refusal> Refusals { get; } = [];

    /// <summary>Called after each flush.</summary>
    public Action<StoringWitness>? Flushed { get; set; }

    public void Dispose() => Journal.Dispose();

    public StreamLog Log(TestStream stream) => Store.TryFind(stream.Id, out StreamLog? log) ? log : throw new InvalidOperationException("No such stream.");

    public void OnBatch(params VerifiedBatch[] batches) => Do((role, effects) => Array.ForEach(batches, batch => role.OnBatch(batch, effects)));

    public void Certify(TestCluster cluster, VerifiedBatch batch, ulong? from = null) =>
        Do((role, effects) => role.OnCertificate(cluster.Certify(batch.Reference, from), [], effects));

    /// <summary>So much time passes; checkpoints are made when they are due.</summary>
    public void Pass(long milliseconds)
    {
        for (long end = _now + milliseconds; _now < end;)
        {
            _now = Math.Min(_now + 5000, end);
            Do((role, effects) => role.OnTick(_now, effects));
            Journal.OnTick(_now);
            Flush();
            Journal.OnTick(_now);
            if (Journal.IsCheckpointDue)
            {
                Journal.Checkpoint(Role);
                Checkpoints++;
                Flushed?.Invoke(this);
            }
        }
    }

    /// <summary>The host's clock is set.</summary>
    public void Jump(long milliseconds)
    {
        _now += milliseconds;
        Pass(1);
    }

    public void Do(Action<WitnessRole, WitnessEffects> input)
    {
        input(Role, _effects);
        Absorb();
        Flush();
    }

    private void Flush()
    {
        while (Journal.Journal.Seal() is { } commit)
        {
            Role.OnSealed(new Mark(commit.Mark));
            commit.Perform();
            Journal.OnDurable(commit);
            Role.OnDurable(new Mark(commit.Mark), _effects);
            Absorb();
        }

        Flushed?.Invoke(this);
    }

    private void Absorb()
    {
        foreach (WitnessRecord record in _effects.Records)
        {
            Journal.Append(record);
        }

        foreach (StoredTip tip in _effects.StoredTips)
        {
            Store.OnStoredTip(tip);
        }

        Acks.AddRange(_effects.PeerAcks.SelectMany(bundle => bundle.Leaves).Select(leaf => leaf.Statement));
        Refusals.AddRange(_effects.Refusals.Select(refusal => refusal.Refusal));
        _effects.Clear();
    }
}
