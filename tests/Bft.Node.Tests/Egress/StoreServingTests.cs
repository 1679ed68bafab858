using System.Threading.Channels;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Node.Tests.Support;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;
using Bft.Sim;
using Bft.Storage;
using Bft.Storage.Tests;
using Bft.Wire;
using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Node.Tests.Egress;

/// <summary>What a witness serves of its store, and to whom.</summary>
public sealed class StoreServingTests : IDisposable
{
    private static readonly WitnessIndex Peer = new(1);
    private readonly TestCluster _cluster = new();
    private readonly TestStream _stream;
    private readonly PublicKey _reader;
    private readonly ClusterFile _file;
    private StoringWitness _witness;

    public StoreServingTests()
    {
        _stream = _cluster.Stream();
        using Ed25519Signer reader = TestCluster.SignerOf('r', 0);
        _reader = reader.PublicKey;
        _file = PolicyFile.Of(
            _cluster, "  orders:\n    publish: [publisher]\n    read: [reader]\n", new ClientEntry("publisher", _stream.Signer.PublicKey), new ClientEntry("reader", _reader));
        _witness = new StoringWitness(_cluster, new SimulatedDisk());
    }

    public void Dispose()
    {
        _witness.Dispose();
        _cluster.Dispose();
    }

    [Fact]
    public void Only_who_may_read_a_topic_and_witnesses_read_it()
    {
        Store(_stream, 2);
        StartFrame start = new(new Topic("orders"), StartPosition.Earliest, [], WithBodies: true);

        Assert.Null(SubscriptionFeed.WhyRefused(_file, start, _reader, peer: null));
        Assert.Null(SubscriptionFeed.WhyRefused(_file, start, default, Peer));
        Assert.Equal(EndReason.NotAllowed, SubscriptionFeed.WhyRefused(_file, start, _stream.Signer.PublicKey, peer: null)?.Reason);
        FetchFrame fetch = new(_stream.Id, Sequence.Zero, new Sequence(1), WithBodies: true);
        Assert.True(Answers(_reader).TryAnswer(fetch, out _));
        Assert.True(Answers(default, Peer).TryAnswer(fetch, out _));
        Assert.False(Answers(_stream.Signer.PublicKey).TryAnswer(fetch, out _));
    }

    [Fact]
    public void W6_what_is_not_certified_is_for_witnesses_only()
    {
        Store(_stream, 1);
        _witness.OnBatch(_stream.Append("acked"));
        FetchFrame fetch = new(_stream.Id, new Sequence(1), new Sequence(1), WithBodies: true, _stream[1].Digest);

        Assert.Equal(_stream[1].Digest, Sha256.Hash(Assert.IsType<BatchFrame>(Answer(fetch, Peer)[0]).Batch.Statement.Span));
        Assert.DoesNotContain(Answer(fetch), frame => frame is BatchFrame);
        Assert.False(Answers(_stream.Signer.PublicKey).TryAnswer(fetch, out _));
    }

    [Fact]
    public void W6_only_the_batch_that_is_asked_for_is_served_and_none_whose_body_is_cut()
    {
        Use(new RetentionPolicy { Bytes = 0 });
        Store(_stream, 2);
        Digest kept = _stream[1].Digest;
        Assert.IsType<BatchFrame>(Answer(Asked(1, kept), Peer)[0]);
        Assert.Equal(new FetchedFrame(_stream.Id, null), Assert.Single(Answer(Asked(1, _stream[0].Digest), Peer)));

        _witness.Pass(60_000);

        Assert.Equal(new Sequence(2), _witness.Log(_stream).Floor);
        Assert.Equal(new FetchedFrame(_stream.Id, null), Assert.Single(Answer(Asked(1, kept), Peer)));

        FetchFrame Asked(ulong slot, Digest digest) => new(_stream.Id, new Sequence(slot), new Sequence(slot), WithBodies: true, digest);
    }

    [Fact]
    public void W8_a_fetch_ends_with_the_highest_slot_that_was_asked_for_and_served()
    {
        _stream.AppendMany(4);
        _witness.OnBatch([.. _stream.Batches]);
        _witness.Certify(_cluster, _stream[3], from: 0);

        IFetchReply[] frames = Answer(new FetchFrame(_stream.Id, new Sequence(1), new Sequence(2), WithBodies: true));

        Assert.Equal([1UL, 2UL], frames.OfType<BodyFrame>().Select(body => body.Slot.Sequence.Value));
        Assert.Equal(new FetchedFrame(_stream.Id, new Sequence(2)), frames[^1]);
        Assert.Equal(new Sequence(3), Assert.IsType<FetchedFrame>(Answer(new FetchFrame(_stream.Id, Sequence.Zero, new Sequence(9), WithBodies: true))[^1]).Highest);
    }

    [Fact]
    public void S2_what_is_left_below_the_floor_is_served_to_who_wants_no_bodies()
    {
        Use(new RetentionPolicy { Bytes = 0 });
        Store(_stream, 3);
        _witness.Pass(60_000);
        Assert.Equal((new Sequence(3), Sequence.Zero), (_witness.Log(_stream).Floor, _witness.Log(_stream).FirstKept));

        IFetchReply[] statements = Answer(new FetchFrame(_stream.Id, Sequence.Zero, new Sequence(9), WithBodies: false));
        IFetchReply[] bodies = Answer(new FetchFrame(_stream.Id, Sequence.Zero, new Sequence(9), WithBodies: true));

        Assert.Equal(3, statements.OfType<CertifiedFrame>().Count());
        Assert.Equal(new FetchedFrame(_stream.Id, new Sequence(2)), statements[^1]);
        Assert.Equal(new Sequence(3), Assert.IsType<FloorFrame>(bodies[0]).Slot.Sequence);
        Assert.Equal(3, bodies.OfType<CertifiedFrame>().Count()); // S3: for a peer that lacks nothing but the proof
    }

    [Fact]
    public void R7_a_subscription_from_now_on_gets_what_is_stored_from_now_on_and_new_streams_whole()
    {
        Store(_stream, 2);
        SubscriptionFeed feed = new(_witness.Store, () => _file, new StartFrame(new Topic("orders"), StartPosition.Latest, [], WithBodies: true));
        Assert.Empty(feed.NextRound());

        TestStream other = _cluster.Stream(publisher: 1);
        Store(other, 1);
        Store(_stream, 1);

        Assert.Equal([new Slot(_stream.Id, new Sequence(2)), new Slot(other.Id, Sequence.Zero)], Bodies(feed).OrderByDescending(slot => slot.Sequence));
    }

    [Fact]
    public void R4_a_round_is_short_so_that_heartbeats_come_between_and_the_next_goes_on()
    {
        for (int i = 0; i < 12; i++)
        {
            Store(_stream, 1, new string('x', 64 * 1024));
        }

        SubscriptionFeed feed = new(_witness.Store, () => _file, new StartFrame(new Topic("orders"), StartPosition.Earliest, [], WithBodies: true));

        Slot[] first = Bodies(feed);
        Assert.InRange(first.Length, 7, 9);
        Assert.Equal(12, first.Length + Bodies(feed).Length);
        Assert.Empty(feed.NextRound());
    }

    [Fact]
    public void P7_an_inquiry_shows_the_newest_incarnations_and_no_more_than_fit_a_frame()
    {
        for (ulong incarnation = 1; incarnation <= FrameLimits.StandingCertificatesMax + 2; incarnation++)
        {
            Store(_cluster.Stream(incarnation: incarnation), 1);
        }

        StandingFrame standing = Standing.Of(_witness.Store, new Topic("orders"), _stream.Signer.PublicKey);

        Assert.Equal(FrameLimits.StandingCertificatesMax, standing.Certificates.Count);
        Assert.True(QuorumCertificate.TryParse(standing.Certificates[0].Span, out QuorumCertificate? newest));
        Assert.Equal(_cluster.Stream(incarnation: FrameLimits.StandingCertificatesMax + 2).Id, newest.Batch.Stream);
    }

    [Fact]
    public void P7_an_inquiry_shows_no_more_originals_than_a_frame_holds()
    {
        // Two incarnations of which one fits and both do not.
        const int Batches = (FrameLimits.StandingOriginalsMax / 2) + 1;
        using TestCluster wide = new(limits: ClusterLimits.Default with { WindowSlots = FrameLimits.StandingOriginalsMax });
        using StoringWitness witness = new(wide, new SimulatedDisk());
        TestStream[] streams = [.. Enumerable.Range(1, 2).Select(incarnation => wide.Stream(incarnation: (ulong)incarnation))];
        foreach (TestStream stream in streams)
        {
            Array.ForEach(stream.AppendMany(Batches).Chunk(256).ToArray(), witness.OnBatch);
        }

        StandingFrame standing = Standing.Of(witness.Store, new Topic("orders"), streams[0].Signer.PublicKey);

        Assert.Equal(Batches, standing.Originals.Count);
        Assert.Equal(streams[1][0].Digest, Sha256.Hash(standing.Originals[0].Bytes.Span)); // the newest
    }

    [Fact]
    public void W3_another_batch_in_a_stored_slot_is_refused_with_the_original_and_told_to_the_core()
    {
        Store(_stream, 1);
        StoredAnswers answers = new(_witness.Store, _cluster.Batches);
        VerifiedStatement other = _cluster.Stream().Batch(0, Ancestor.None, "another").Statement;

        Intake conflict = answers.Of(new StoredSlotOffer(other));

        Assert.Equal(RefusalReason.Conflict, Assert.IsType<RefusalFrame>(conflict.Reply).Reason);
        Assert.IsType<StoredConflictInput>(conflict.Input);
        Intake same = answers.Of(new StoredSlotOffer(_stream[0].Statement));
        Assert.IsType<CertifiedFrame>(same.Reply);
        Assert.Null(same.Input);
    }

    [Fact]
    public async Task W2_batches_for_stored_slots_wait_in_a_bounded_queue_and_those_beyond_are_dropped()
    {
        const int WaitingMax = 1024;
        Store(_stream, 1);
        PublisherCalls publishers = new();
        Outbox<IPublishReply> outbox = new(bytesMax: int.MaxValue);
        publishers.Add(_stream.Signer.PublicKey, outbox);
        StoredOffers offers = new(new StoredAnswers(_witness.Store, _cluster.Batches), publishers);
        for (int i = 0; i < WaitingMax + 100; i++)
        {
            offers.Post(new StoredSlotOffer(_stream[0].Statement));
        }

        using CancellationTokenSource stop = new();
        Task running = offers.RunAsync(new CoreMailbox(), stop.Token);
        Replies replies = new();
        Task writing = outbox.WriteAllAsync(replies, new HeartbeatFrame(), TimeSpan.FromHours(1));
        for (int i = 0; i < WaitingMax; i++)
        {
            Assert.IsType<CertifiedFrame>(await replies.NextAsync());
        }

        offers.Post(new StoredSlotOffer(_cluster.Stream().Batch(0, Ancestor.None, "another").Statement));
        Assert.IsType<RefusalFrame>(await replies.NextAsync());
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        outbox.Close();
        await writing.WaitAsync(LocalCluster.Patience);
    }

    private static Slot[] Bodies(SubscriptionFeed feed)
    {
        List<Slot> slots = [];
        foreach (Served<ISubscribeReply> served in feed.NextRound())
        {
            if (served.Frame is BodyFrame body)
            {
                slots.Add(body.Slot);
                body.BodyOwner!.Dispose();
            }
        }

        return [.. slots];
    }

    private void Use(RetentionPolicy policy)
    {
        _witness.Dispose();
        _witness = new StoringWitness(_cluster, new SimulatedDisk(), policy);
    }

    private void Store(TestStream stream, int batches, params string[] messages)
    {
        for (int i = 0; i < batches; i++)
        {
            _witness.OnBatch(stream.Append(messages));
            _witness.Certify(_cluster, stream.Batches[^1]);
        }
    }

    private FetchAnswers Answers(PublicKey client, WitnessIndex? peer = null) => new(_file, _witness.Store, client, peer);

    private IFetchReply[] Answer(FetchFrame fetch, WitnessIndex? peer = null)
    {
        Assert.True(Answers(_reader, peer).TryAnswer(fetch, out IEnumerable<Served<IFetchReply>>? frames));
        return [.. frames.Select(served => served.Frame)];
    }

    private sealed class Replies : IAsyncStreamWriter<IPublishReply>
    {
        private readonly Channel<IPublishReply> _frames = Channel.CreateUnbounded<IPublishReply>();

        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(IPublishReply message) => _frames.Writer.WriteAsync(message).AsTask();

        public Task WriteAsync(IPublishReply message, CancellationToken cancellationToken) => WriteAsync(message);

        public Task<IPublishReply> NextAsync() => _frames.Reader.ReadAsync().AsTask().WaitAsync(LocalCluster.Patience);
    }
}
