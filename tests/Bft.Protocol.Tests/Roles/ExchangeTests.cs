using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Protocol.Tests.Roles;

public sealed class ExchangeTests : IDisposable
{
    private static readonly WitnessIndex One = new(1);

    private readonly TestCluster _cluster = new();
    private readonly TestStream _stream;
    private readonly TestWitness _witness;

    public ExchangeTests()
    {
        _stream = _cluster.Stream();
        _stream.AppendMany(4);
        _witness = new TestWitness(_cluster);
    }

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void W6_what_f_1_acked_is_fetched_from_those_that_may_have_it_and_acked()
    {
        _witness.OnAcks(_cluster.Ack(1, _stream[0].Reference));
        _witness.OnTicks(200);
        Assert.Empty(_witness.Out.Fetches);

        _witness.OnAcks(_cluster.Ack(2, _stream[0].Reference));
        _witness.OnTicks(200);

        Assert.NotEmpty(_witness.Out.Fetches);
        Assert.All(_witness.Out.Fetches, fetch => Assert.Equal(_stream[0].Digest, fetch.Batch));
        _witness.OnBatch(_stream[0]);
        _witness.Flush();
        Assert.Single(_witness.AckLeaves);
        Assert.Equal(Sequence.Zero, _witness.Tip);
    }

    [Fact]
    public void W6_nothing_is_fetched_that_comes_by_itself()
    {
        _witness.OnAcks(_cluster.Ack(1, _stream[0].Reference), _cluster.Ack(2, _stream[0].Reference));
        _witness.OnTicks(5);
        _witness.OnBatch(_stream[0]);
        _witness.Flush();
        _witness.OnTicks(200);

        Assert.Empty(_witness.Out.Fetches);
    }

    [Fact]
    public void W6_nothing_is_fetched_while_the_stream_comes_by_itself()
    {
        _witness.OnAcks(_cluster.Ack(1, _stream[3].Reference), _cluster.Ack(2, _stream[3].Reference));
        for (int i = 0; i < 3; i++)
        {
            _witness.OnTicks(8);
            _witness.OnBatch(_stream[i]);
            _witness.Flush();
        }

        _witness.OnTicks(8);
        Assert.Empty(_witness.Out.Fetches);

        _witness.OnTicks(8);
        Assert.NotEmpty(_witness.Out.Fetches);
    }

    [Fact]
    public void W6_fetching_another_batch_than_the_one_acked_here_proves_the_publisher()
    {
        VerifiedBatch other = _stream.Batch(0, Ancestor.None, "other");
        _witness.OnBatch(other);
        _witness.Flush();
        _witness.OnAcks(_cluster.Ack(1, _stream[0].Reference), _cluster.Ack(2, _stream[0].Reference));
        _witness.OnTicks(200);
        Assert.Contains(_witness.Out.Fetches, fetch => fetch.Batch == _stream[0].Digest);

        _witness.OnBatch(_stream[0]);
        Assert.Null(Assert.Single(_witness.Out.Evidence).Witness);
    }

    [Fact]
    public void W8_a_slow_fetch_gets_a_second_one_beside_it_and_is_given_up_though_it_trickles()
    {
        NodeLimits limits = new() { FetchAfterTicks = 1, FetchTimeoutTicks = 10 };
        TestWitness witness = new(_cluster, limits: limits);
        witness.OnCertificate(_cluster.Certify(_stream[3].Reference, 0), [.. _stream.Batches]);
        witness.OnTicks(4);
        FetchOrder first = Assert.Single(witness.Out.Fetches);
        for (int sequence = 0; sequence < 3; sequence++)
        {
            witness.OnBatch(_stream[sequence]);
            witness.OnTicks(5);
        }

        // Each batch was progress; and so it goes on with this peer alone, until its time is up.
        Assert.Single(witness.Out.Fetches);
        witness.OnTicks(4);
        Assert.Equal(2, witness.Out.Fetches.Count);
        Assert.NotEqual(first.Peer, witness.Out.Fetches[1].Peer);
        Assert.Empty(witness.Out.Abandoned);
        witness.OnTicks(60);
        Assert.Contains(first, witness.Out.Abandoned);
    }

    [Fact]
    public void W8_when_all_were_asked_in_vain_the_next_have_more_time_since_a_session_may_take_longer()
    {
        TestWitness witness = new(_cluster, limits: new NodeLimits { FetchAfterTicks = 1, FetchTimeoutTicks = 10 });
        witness.OnCertificate(_cluster.Certify(_stream[3].Reference, 0), [.. _stream.Batches]);
        List<int> begun = [];
        List<int> lasted = [];
        for (int tick = 0; tick < 600; tick++)
        {
            witness.OnTicks(1);
            begun.AddRange(Enumerable.Repeat(tick, witness.Out.Fetches.Count - begun.Count));
            lasted.AddRange(witness.Out.Abandoned.Skip(lasted.Count).Select(order => tick - begun[witness.Out.Fetches.IndexOf(order)]).ToArray());
        }

        Assert.InRange(lasted[0], 10, 12);
        Assert.Contains(lasted, ticks => ticks is >= 80 and <= 82);
        Assert.DoesNotContain(lasted, ticks => ticks > 82);
    }

    [Fact]
    public void W8_a_fetch_that_lasts_too_long_is_given_up_whatever_it_brings()
    {
        using TestCluster cluster = new(limits: new ClusterLimits { WindowSlots = 64 });
        TestStream stream = cluster.Stream();
        stream.AppendMany(40);
        TestWitness witness = new(cluster, limits: new NodeLimits { FetchAfterTicks = 0, FetchTimeoutTicks = 10 });
        witness.OnCertificate(cluster.Certify(stream[39].Reference, 0), [.. stream.Batches]);
        foreach (VerifiedBatch batch in stream.Batches.Take(39))
        {
            witness.OnTicks(2);
            witness.OnBatch(batch);
        }

        Assert.NotEmpty(witness.Out.Abandoned);
        Assert.NotEqual(witness.Out.Fetches[0].Peer, witness.Out.Fetches[1].Peer);
    }

    [Fact]
    public void W8_uncertified_acks_are_told_again_ever_more_slowly_and_never_once_certified()
    {
        _witness.OnBatch(_stream[0], _stream[1]);
        _witness.Flush();
        _witness.OnTicks(3000);

        AckBundle[] again = [.. _witness.Out.PeerResends.Select(resend => resend.Bundle)];
        Assert.InRange(again.Length, 4, 10);
        Assert.All(again, bundle => Assert.Equal(2, _cluster.Verify(bundle).Length));
        Assert.All(_witness.Out.PeerResends, resend => Assert.Null(resend.Peer));

        _witness.OnCertificate(_cluster.Certify(_stream[1].Reference, 0, 1, 2, 3), _stream[0], _stream[1]);
        _witness.Flush();
        _witness.Forget();
        _witness.OnTicks(3000);
        Assert.Empty(_witness.Out.PeerResends);
    }

    [Fact]
    public void W8_a_peer_that_connects_is_told_all_tips_with_the_ticks_each_once()
    {
        const int Streams = 1000;
        int bytes = 0;
        List<StreamId> ids = [];
        for (int i = 0; i < Streams; i++)
        {
            TestStream stream = _cluster.Stream(topic: $"topic {i}");
            stream.AppendMany(1);
            ids.Add(stream.Id);
            _witness.OnBatch(stream[0]);
            VerifiedCertificate certificate = _cluster.Certify(stream[0].Reference, 0, 1, 2, 3);
            bytes = certificate.Certificate.Bytes.Length;
            _witness.OnCertificate(certificate, stream[0]);
        }

        _witness.Flush();
        _witness.OnTicks(100);
        _witness.Forget();

        _witness.OnPeer(1);
        int atOnce = _witness.Out.PeerTips.Count;
        Assert.InRange(atOnce * bytes, 1, 150_000);
        _witness.OnTicks(1);
        Assert.InRange(_witness.Out.PeerTips.Count, atOnce + 1, 3 * atOnce);
        _witness.OnTicks(100);

        Assert.All(_witness.Out.PeerTips, tip => Assert.Equal(One, tip.Peer));
        Assert.Equal(ids.Order(), _witness.Out.PeerTips.Select(tip => tip.Tip.Stream));
    }

    [Fact]
    public void W8_a_lost_tip_is_told_again_while_the_peer_s_digest_differs()
    {
        Store();
        _witness.OnTicks(100);
        Digest mine = _witness.Out.PeerHeartbeat!.Tips;
        _witness.Forget();
        _witness.Do((role, effects) => role.OnHeartbeat(One, mine, null, effects));
        _witness.Do((role, effects) => role.OnHeartbeat(One, mine, null, effects));
        Assert.Empty(_witness.Out.PeerTips);

        _witness.Do((role, effects) => role.OnHeartbeat(One, default(Digest), null, effects));
        _witness.Do((role, effects) => role.OnHeartbeat(One, default(Digest), null, effects));

        PeerTip tip = Assert.Single(_witness.Out.PeerTips);
        Assert.Equal(One, tip.Peer);
        Assert.Equal(_stream[0].Reference, tip.Tip);
    }

    [Fact]
    public void W8_tips_digest_is_the_published_one_and_survives_a_restart()
    {
        Store();
        _witness.Restart();
        _witness.OnTicks(50);

        byte[] entry = new byte[72];
        _stream.Id.Digest.CopyTo(entry);
        _stream[0].Digest.CopyTo(entry.AsSpan(40));
        byte[] parts = new byte[256 * Digest.Length];
        Span<byte> id = stackalloc byte[Digest.Length];
        _stream.Id.Digest.CopyTo(id);
        for (int part = 0; part < 256; part++)
        {
            (part == id[0] ? Sha256.Hash(entry) : Sha256.Hash([])).CopyTo(parts.AsSpan(part * Digest.Length));
        }

        Assert.Equal(Sha256.Hash(parts), _witness.Out.PeerHeartbeat!.Tips);
    }

    [Fact]
    public void W10_evidence_of_a_peer_is_kept_and_passed_on_once_per_offender()
    {
        VerifiedEvidence evidence = EvidenceOf(publisher: 0);
        _witness.Do((role, effects) => role.OnEvidence(evidence, effects));
        _witness.Do((role, effects) => role.OnEvidence(evidence, effects));

        Assert.Single(_witness.Out.Evidence);
        Assert.Single(_witness.Journal.OfType<EvidenceRecord>());
        _witness.OnBatch(_stream[0]);
        _witness.Flush();
        Assert.Empty(_witness.Out.PeerAcks);
    }

    [Fact]
    public void W8_evidence_is_told_again_to_a_peer_whose_digest_differs_ever_more_slowly()
    {
        _witness.Do((role, effects) => role.OnEvidence(EvidenceOf(publisher: 0), effects));
        _witness.OnTicks(50);
        Digest mine = _witness.Out.PeerHeartbeat!.Offenders;
        for (int i = 0; i < 100; i++)
        {
            _witness.Do((role, effects) => role.OnHeartbeat(One, null, default(Digest), effects));
        }

        Assert.InRange(_witness.Out.PeerEvidence.Count, 5, 10);
        _witness.Forget();
        for (int i = 0; i < 100; i++)
        {
            _witness.Do((role, effects) => role.OnHeartbeat(One, null, mine, effects));
        }

        Assert.Empty(_witness.Out.PeerEvidence);
    }

    [Fact]
    public void W8_evidence_found_here_is_told_again_to_a_peer_that_lacks_it()
    {
        _witness.OnBatch(_stream[0], _stream.Batch(0, Ancestor.None, "other"));
        VerifiedEvidence found = Assert.Single(_witness.Out.Evidence);
        for (int i = 0; i < 4; i++)
        {
            _witness.Do((role, effects) => role.OnHeartbeat(One, null, default(Digest), effects));
        }

        Assert.NotEmpty(_witness.Out.PeerEvidence);
        Assert.All(_witness.Out.PeerEvidence, told => Assert.Equal((One, found), told));
    }

    [Fact]
    public void C2_two_certificates_for_one_slot_name_each_witness_in_both()
    {
        VerifiedBatch other = _stream.Batch(0, Ancestor.None, "other");
        _witness.OnCertificate(_cluster.Certify(_stream[0].Reference, null, 1, 2, 3));
        _witness.OnCertificate(_cluster.Certify(other.Reference, null, 0, 1, 2));

        Assert.Equal([1, 2], _witness.Out.Evidence.Select(evidence => evidence.Witness!.Value.Value).Order());
        AssertHold(_witness.Out.Evidence);
    }

    [Fact]
    public void C2_a_certificate_that_reaches_below_the_stored_tip_names_each_witness_in_both()
    {
        Store();
        VerifiedBatch other = _stream.Batch(0, Ancestor.None, "other");
        VerifiedBatch above = _stream.Batch(1, Ancestor.Previous(other.Digest), "above");
        _witness.OnCertificate(_cluster.Certify(above.Reference, 0, 1, 2, 3), above);

        Assert.Equal([1, 2, 3], _witness.Out.Evidence.Where(evidence => evidence.Witness is not null).Select(evidence => evidence.Witness!.Value.Value).Order());
        AssertHold(_witness.Out.Evidence);
    }

    [Fact]
    public void C2_a_certificate_against_the_stored_slot_names_each_witness_in_both()
    {
        Store();
        VerifiedBatch other = _stream.Batch(0, Ancestor.None, "other");
        VerifiedCertificate stored = _cluster.Certify(_stream[0].Reference, null, 1, 2, 3);
        _witness.Do((role, effects) => role.OnStoredFork(stored, [_stream[0].Statement], _cluster.Certify(other.Reference, null, 1, 2, 3), effects));

        Assert.Equal([1, 2, 3], _witness.Out.Evidence.Select(evidence => evidence.Witness!.Value.Value).Order());
        AssertHold(_witness.Out.Evidence);
    }

    [Fact]
    public void C2_a_statement_that_comes_after_the_acks_completes_the_proof()
    {
        VerifiedBatch other = _stream.Batch(0, Ancestor.None, "other");
        VerifiedBatch above = _stream.Batch(1, Ancestor.Previous(other.Digest), "above");
        _witness.OnBatch(_stream[0]);
        _witness.OnAcks(_cluster.Ack(1, _stream[0].Reference), _cluster.Ack(2, other.Reference));
        _witness.OnAcks(_cluster.Ack(1, above.Reference, 0));
        Assert.Empty(_witness.Out.Evidence);

        _witness.OnBatch(above);

        Assert.Equal(1, Assert.Single(_witness.Out.Evidence).Witness!.Value.Value);
        AssertHold(_witness.Out.Evidence);
    }

    [Fact]
    public void C2_nobody_is_accused_for_one_leaf_under_two_roots_in_acks_and_certificates()
    {
        _witness.OnCertificate(_cluster.Certify(_stream[0].Reference, null, 1, 2, 3));
        _witness.OnCertificate(_cluster.Certify(_stream[0].Reference, null, 0, 1, 2));
        _witness.OnAcks(_cluster.Ack(1, _stream[0].Reference), _cluster.Ack(1, _stream[0].Reference));

        Assert.Empty(_witness.Out.Evidence);
    }

    private void Store()
    {
        _witness.OnBatch(_stream[0]);
        _witness.OnCertificate(_cluster.Certify(_stream[0].Reference, null, 1, 2, 3));
        _witness.Flush();
        Assert.Equal(Sequence.Zero, _witness.Tip);
    }

    private VerifiedEvidence EvidenceOf(int publisher)
    {
        TestStream stream = _cluster.Stream(publisher);
        PublisherEquivocation equivocation = new(
            SignedStatement.From(stream.Batch(0, Ancestor.None, "a").Statement), SignedStatement.From(stream.Batch(0, Ancestor.None, "b").Statement));
        Assert.True(new EvidenceVerifier(_cluster.Committee, Ed25519.Instance).TryVerify(equivocation, out VerifiedEvidence? evidence, out _));
        return evidence;
    }

    private void AssertHold(IEnumerable<VerifiedEvidence> all) => Assert.All(
        all,
        evidence => Assert.True(new EvidenceVerifier(_cluster.Committee, Ed25519.Instance).TryVerify(evidence.Evidence.Encode(), out _, out RejectReason reason), reason.ToString()));
}
