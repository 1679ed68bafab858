using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Bodies;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;
using Bft.Wire.Frames;

namespace Bft.Sim.Tests.Checking;

/// <summary>A run made by hand: four witnesses, a publisher (4), two receivers (5, 6), and all checkers.</summary>
internal sealed class History : RunFacts
{
    public const int Publisher = 4;
    public const int First = 5;
    public const int Second = 6;

    private readonly IdealSignatures _scheme = new();
    private readonly ISigner[] _signers;
    private readonly StreamHeader _header;
    private readonly Dictionary<(int Witness, StreamId Stream), VerifiedCertificate> _tips = [];
    private readonly List<string> _found = [];
    private readonly IReadOnlyList<Checker> _checkers = Checkers.All();
    private ulong _mark;

    public History(int faulty = -1)
    {
        Faulty = faulty;
        _signers = [.. Enumerable.Range(0, 7).Select(_scheme.SignerOf)];
        Committee = new Genesis("history", new byte[Genesis.NonceLength], _signers.Take(4).Select(signer => signer.PublicKey), new ClusterLimits { WindowSlots = 4 }).Committee;
        _header = new StreamHeader(Committee.Cluster, _signers[Publisher].PublicKey, Topic, new Incarnation(1, 1));
        foreach (Checker checker in _checkers)
        {
            checker.Facts = this;
            checker.Report = violation => _found.Add(violation.Checker);
        }

        All(checker =>
        {
            for (int party = 0; party < 7; party++)
            {
                checker.OnStarted(party);
            }
        });
        for (int witness = 0; witness < 4; witness++)
        {
            Begin(witness, run: 1, replayed: 0);
        }
    }

    public static Topic Topic { get; } = new("topic");

    /// <summary>Checkers that found something, each once.</summary>
    public IReadOnlyList<string> Found => [.. _found.Distinct(StringComparer.Ordinal)];

    /// <summary>Of the last commit, of whatever witness.</summary>
    public ulong Mark => _mark;

    public Committee Committee { get; }

    public int Faulty { get; }

    public override RunPlan Plan { get; } = new() { Witnesses = 4, WindowSlots = 4 };

    public override ClusterId Cluster => Committee.Cluster;

    public override IReadOnlyList<PublicKey> WitnessKeys => Committee.Keys;

    public override ISignatureScheme Signatures => _scheme;

    public override IReadOnlyList<string> Parties { get; } = ["W0", "W1", "W2", "W3", "P0", "R0", "R1"];

    public override long Now => 0;

    public override bool IsBeyondModel => false;

    public override bool IsWitness(int party) => party < 4;

    public override bool IsPublisher(int party) => party == Publisher;

    public override bool IsReceiver(int party) => party > Publisher;

    public override bool IsCorrect(int party) => party != Faulty;

    public override bool IsInCore(int party) => party != Faulty;

    public override int PartyOf(PublicKey key) => Array.FindIndex(_signers, signer => signer.PublicKey == key);

    public override Topic TopicOf(int party) => Topic;

    public override BatchRef? StoredTip(int witness, StreamId stream) => _tips.GetValueOrDefault((witness, stream))?.Batch;

    public override int Outstanding(int publisher) => 0;

    public void All(Action<Checker> happen)
    {
        foreach (Checker checker in _checkers)
        {
            happen(checker);
        }
    }

    public void Send(int from, IFrame frame) => Send(from, from == 0 ? 1 : 0, frame);

    public void Send(int from, int to, IFrame frame) => All(checker => checker.OnSent(from, to, frame, 1));

    /// <summary>A batch that its publisher signed, not yet broadcast.</summary>
    public VerifiedBatch Batch(VerifiedBatch? after = null, string content = "message", Ancestor? start = null, ulong incarnation = 1)
    {
        BodyBuilder builder = new(Committee.Limits);
        Assert.True(builder.TryAdd(new Message(System.Text.Encoding.UTF8.GetBytes($"{content} {after?.Sequence}"))));
        byte[] body = new byte[builder.BodyLength];
        BodyDescription description = builder.Build(body);
        Ancestor ancestor = after is null ? start ?? Ancestor.None : Ancestor.Previous(after.Digest);
        BatchStatement statement = BatchStatement.Create(new StreamHeader(Cluster, _header.Publisher, Topic, new Incarnation(incarnation, 1)), after?.Sequence.Following ?? Sequence.Zero, ancestor, description);
        return BatchVerifier.Sign(statement, _signers[Publisher], body, null);
    }

    /// <summary>The first batch of a later incarnation.</summary>
    public VerifiedBatch Begin(ulong counter, Ancestor link = default, bool isRepeat = false, string content = "another")
    {
        BodyBuilder builder = new(Committee.Limits);
        Assert.True(builder.TryAdd(new Message(System.Text.Encoding.UTF8.GetBytes(content))));
        byte[] body = new byte[builder.BodyLength];
        BodyDescription description = builder.Build(body) with { IsPossibleRepeat = isRepeat };
        StreamHeader header = new(Cluster, _signers[Publisher].PublicKey, Topic, new Incarnation(counter, 1));
        return BatchVerifier.Sign(BatchStatement.Create(header, Sequence.Zero, link, description), _signers[Publisher], body, null);
    }

    public VerifiedBatch Broadcast(VerifiedBatch? after = null, string content = "message")
    {
        VerifiedBatch batch = Batch(after, content);
        All(checker => checker.OnBroadcast(Publisher, batch));
        All(checker => checker.OnJournaled(Publisher, batch.Reference));
        SendBatch(batch);
        return batch;
    }

    public void SendBatch(VerifiedBatch batch) => Send(Publisher, new BatchFrame(new SignedBatch(batch.Statement.Statement.Bytes, batch.Statement.Signature, batch.Body)));

    public void Record(int witness, WitnessRecord record, bool isDurable = true)
    {
        All(checker => checker.OnRecord(witness, record));
        All(checker => checker.OnSealed(witness, ++_mark));
        if (isDurable)
        {
            All(checker => checker.OnDurable(witness, _mark));
        }
    }

    /// <summary>A repair writes a certificate.</summary>
    public void Mend(int witness, VerifiedCertificate certificate, bool isDurable)
    {
        All(checker => checker.OnMended(witness, certificate));
        All(checker => checker.OnSealed(witness, ++_mark));
        if (isDurable)
        {
            All(checker => checker.OnDurable(witness, _mark));
        }
    }

    /// <summary>A witness's run begins on a disk that holds so many commits, and so many peers answer its question.</summary>
    public void Begin(int witness, ulong run, ulong replayed, bool isDiskLost = false, int answers = 3)
    {
        All(checker => checker.OnReplayed(witness, replayed, isDiskLost));
        Record(witness, new RunRecord(new Protocol.Model.Run(run)));
        foreach (int peer in Enumerable.Range(0, 4).Where(peer => peer != witness).Take(answers))
        {
            All(checker => checker.OnRecalled(witness, peer, new RecallFrame(default, Answers: new Protocol.Model.Run(run))));
        }
    }

    public AckBundle SignAck(int witness, VerifiedBatch batch, ulong from, ulong run = 1, ulong mark = 1)
    {
        AckStatement ack = new(batch.Reference, new Sequence(from));
        MerkleTree tree = new([ack.LeafHash(Cluster, Epoch.Zero)]);
        AckRootStatement root = new(Cluster, Epoch.Zero, new WitnessIndex(witness), new Protocol.Model.Run(run), new Mark(mark), 1, tree.Root);
        return new AckBundle(root, root.Sign(_signers[witness]), [new AckLeaf(ack, 0, [])]);
    }

    /// <summary>A witness records its ack, and shows it.</summary>
    public AckBundle Ack(int witness, VerifiedBatch batch, ulong from = 0, bool isDurable = true)
    {
        Record(witness, new BatchRecord(batch, new Sequence(from)), isDurable);
        AckBundle bundle = SignAck(witness, batch, from);
        Send(witness, new AcksFrame(bundle.Encode()));
        return bundle;
    }

    public VerifiedCertificate Certify(params AckBundle[] acks)
    {
        QuorumCertificate certificate = CertificateOf(acks);
        Assert.True(new AckVerifier(Committee, _scheme, 16).TryVerify(certificate, out VerifiedCertificate? verified, out _));
        return verified;
    }

    public static QuorumCertificate CertificateOf(params AckBundle[] acks) => new(
        acks[0].Leaves[0].Statement.Batch,
        Epoch.Zero,
        [.. acks.Select(ack => new CertificateEntry(ack.Root.Witness, ack.Leaves[0].Statement.Base, 0, [], ack.Root.Run, ack.Root.Mark, 1, ack.Signature))]);

    /// <summary>Everybody acks, stores and shows a batch.</summary>
    public VerifiedCertificate Settle(VerifiedBatch batch, ulong from = 0)
    {
        VerifiedCertificate certificate = Certify([.. Enumerable.Range(0, 4).Select(witness => Ack(witness, batch, from))]);
        for (int witness = 0; witness < 4; witness++)
        {
            Store(witness, batch, certificate);
        }

        All(checker => checker.OnCovered(Publisher, batch.Reference, certificate));
        return certificate;
    }

    public void Store(int witness, VerifiedBatch batch, VerifiedCertificate certificate)
    {
        Record(witness, new CertificateRecord(certificate));
        _tips[(witness, batch.Reference.Stream)] = certificate;
        All(checker => checker.OnStored(witness, new StoredTip(_header, batch.Sequence, certificate)));
        TipFrame tip = new(certificate.Certificate.Bytes);
        Send(witness, tip);
        Send(witness, First, tip);
        Send(witness, Second, tip);
    }

    public void Forget(int witness, StreamId stream) => _tips.Remove((witness, stream));

    public Delivery DeliveryOf(VerifiedBatch batch, VerifiedCertificate certificate)
    {
        BatchVerifier verifier = new(Cluster, Committee.Limits, _scheme);
        Assert.True(CertifiedRange.TryVerify(verifier, certificate, [SignedStatement.From(batch.Statement)], out CertifiedRange? range, out _));
        return new Delivery(batch, range);
    }

    public void Deliver(int receiver, VerifiedBatch batch, VerifiedCertificate certificate, bool isPossibleRepeat = false)
    {
        Delivery delivery = DeliveryOf(batch, certificate);
        All(checker => checker.OnDelivered(receiver, delivery, isPossibleRepeat));
    }

    public void DeliverToAll(VerifiedBatch batch, VerifiedCertificate certificate)
    {
        Deliver(First, batch, certificate);
        Deliver(Second, batch, certificate);
    }

    public void DeliverToAllBut(int receiver, params (VerifiedBatch Batch, VerifiedCertificate Certificate)[] batches)
    {
        foreach ((VerifiedBatch batch, VerifiedCertificate certificate) in batches)
        {
            Deliver(receiver == First ? Second : First, batch, certificate);
        }
    }

    public VerifiedEvidence Evidence(Evidence evidence)
    {
        Assert.True(new EvidenceVerifier(Committee, _scheme).TryVerify(evidence, out VerifiedEvidence? verified, out _));
        return verified;
    }

    public void End() => All(checker => checker.OnEnd());
}
