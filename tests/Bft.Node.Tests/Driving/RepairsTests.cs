using System.Text;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;
using Bft.Sim;
using Bft.Storage;
using Bft.Storage.Tests;
using Bft.Wire.Frames;

namespace Bft.Node.Tests.Driving;

/// <summary>Whom a witness asks for what it finds damaged, and what of the answer it writes.</summary>
public sealed class RepairsTests : IDisposable
{
    private readonly TestCluster _cluster = new();
    private readonly TestStream _stream;
    private readonly SimulatedDisk _disk = new();
    private readonly StoringWitness _witness;
    private readonly Orders _orders = new();
    private readonly Repairs _repairs;

    public RepairsTests()
    {
        _stream = _cluster.Stream();
        _stream.AppendMany(6);
        _witness = new StoringWitness(_cluster, _disk);
        _witness.OnBatch([.. _stream.Batches]);
        _witness.Certify(_cluster, _stream[4], from: 0);
        _repairs = new Repairs(_witness.Journal, _witness.Store, _orders, new WitnessIndex(0), witnesses: 4);
    }

    public void Dispose()
    {
        _witness.Dispose();
        _cluster.Dispose();
    }

    [Fact]
    public void W8_a_peer_that_is_silent_or_has_nothing_is_followed_by_the_next_and_all_of_them_by_a_pause_that_grows()
    {
        Damage(2);
        Tick(1);
        Tick(1501);
        Assert.Equal(_orders.Asked[0], Assert.Single(_orders.Abandoned));
        for (int i = 0; i < 2; i++)
        {
            Tick(1);
            _repairs.OnEnded(_orders.Asked[^1]);
        }

        Assert.Equal([1, 2, 3], _orders.Asked.Select(order => order.Peer.Value).Order());
        Assert.All(_orders.Asked, order => Assert.Equal((new Sequence(2), new Sequence(2), false, true), (order.From, order.To, order.IsCertificate, order.WithBodies)));
        foreach (int pause in new[] { 50, 100, 200 })
        {
            Tick(pause - 1);
            int asked = _orders.Asked.Count;
            Assert.Equal(0, asked % 3);
            for (int i = 0; i < 3; i++)
            {
                Tick(1);
                Assert.Equal(asked + i + 1, _orders.Asked.Count);
                _repairs.OnEnded(_orders.Asked[^1]);
            }
        }
    }

    [Fact]
    public void W8_only_what_was_ordered_and_is_damaged_is_written_again()
    {
        Damage(2);
        Damage(3);
        Tick(1);
        RepairOrder order = _orders.Asked[0];
        Assert.Equal((new Sequence(2), new Sequence(3)), (order.From, order.To));

        Assert.False(_repairs.OnBody(order with { Id = order.Id + 1 }, _stream[2])); // of an order that was given up
        Assert.False(_repairs.OnBody(order, _stream[1])); // not ordered
        Assert.True(_repairs.OnBody(order, _stream[2]));
        _witness.Do((_, _) => { });
        Assert.False(_repairs.OnBody(order, _stream[2])); // not damaged any more
        Assert.True(_repairs.OnBody(order, _stream[3]));
        _witness.Do((_, _) => { });

        Assert.Equal(0, _witness.Store.Damages.Count);
        Assert.True(IsRead(2) && IsRead(3));
        _repairs.OnEnded(order);
        Tick(5000);
        Assert.Single(_orders.Asked);
    }

    [Fact]
    public void W8_a_certificate_is_repaired_by_one_of_what_is_stored_and_not_by_one_above()
    {
        StreamLog log = _witness.Log(_stream);
        byte[] bytes = log.ReadCertificate(log.RangeFrom(Sequence.Zero)!.Value).ToArray();
        Overwrite(bytes, at: bytes.Length / 2);
        Assert.Throws<StoreDamageException>(() => log.ReadCertificate(log.RangeFrom(Sequence.Zero)!.Value));
        Tick(1);
        RepairOrder order = _orders.Asked[0];
        Assert.True(order.IsCertificate);

        _repairs.OnCertified(order, _cluster.Certify(_stream[5].Reference, 0), [.. _stream.Batches.Select(batch => batch.Statement)]);
        _witness.Do((_, _) => { });
        Assert.Equal(1, _witness.Store.Damages.Count);

        _repairs.OnCertified(order, _cluster.Certify(_stream[4].Reference, 0), [.. _stream.Batches.Take(5).Select(batch => batch.Statement)]);
        _witness.Do((_, _) => { });
        Assert.Equal(0, _witness.Store.Damages.Count);
        Assert.True(_cluster.Acks.TryVerifyCertificate(log.ReadCertificate(log.RangeFrom(Sequence.Zero)!.Value).Span, out VerifiedCertificate? mended, out _));
        Assert.Equal(_stream[4].Reference, mended.Batch);
    }

    [Fact]
    public void W7_certificates_that_stand_in_for_another_are_shown_once_they_are_durable()
    {
        StreamLog log = _witness.Log(_stream);
        byte[] bytes = log.ReadCertificate(log.RangeFrom(Sequence.Zero)!.Value).ToArray();
        Overwrite(bytes, at: bytes.Length / 2);
        Assert.Throws<StoreDamageException>(() => log.ReadCertificate(log.RangeFrom(Sequence.Zero)!.Value));
        Tick(1);
        List<BatchRef> mended = [];
        _repairs.Mended = certificate => mended.Add(certificate.Batch);

        // The peer has a certificate of slot 1 too.
        _repairs.OnCertified(_orders.Asked[0], _cluster.Certify(_stream[1].Reference, 0), [.. _stream.Batches.Take(2).Select(batch => batch.Statement)]);
        _repairs.OnCertified(_orders.Asked[0], _cluster.Certify(_stream[4].Reference, 2), [.. _stream.Batches.Skip(2).Take(3).Select(batch => batch.Statement)]);
        Assert.Equal([_stream[1].Reference, _stream[4].Reference], mended);
        Assert.Equal(new Sequence(4), log.RangeFrom(Sequence.Zero)!.Value.To);
        _witness.Do((_, _) => { });

        Assert.Equal([_stream[1].Reference, _stream[4].Reference], [Shown(0), Shown(2)]);

        BatchRef Shown(ulong from) => _cluster.Acks.TryVerifyCertificate(log.ReadCertificate(log.RangeFrom(new Sequence(from))!.Value).Span, out VerifiedCertificate? shown, out _) ? shown.Batch : default;
    }

    private void Tick(int ticks)
    {
        for (int i = 0; i < ticks; i++)
        {
            _repairs.OnTick();
        }
    }

    private void Damage(int slot)
    {
        Overwrite(Encoding.UTF8.GetBytes($"message {slot}"), at: 0);
        Assert.False(IsRead(slot));
    }

    private void Overwrite(byte[] text, int at)
    {
        foreach (string name in _disk.List().ToArray())
        {
            byte[] file = _disk[name];
            if (file.AsSpan().IndexOf(text) is >= 0 and int found)
            {
                file = [.. file];
                file[found + at] ^= 1;
                _disk[name] = file;
                return;
            }
        }

        Assert.Fail("It is nowhere.");
    }

    private bool IsRead(int slot)
    {
        StreamLog log = _witness.Log(_stream);
        byte[] body = new byte[log.BodyLength(new Sequence((ulong)slot))];
        try
        {
            log.ReadBody(new Sequence((ulong)slot), body);
            return Sha256.Hash(body) == Sha256.Hash(_stream[slot].Body.Span);
        }
        catch (StoreDamageException)
        {
            return false;
        }
    }

    private sealed class Orders : IWitnessOutputs
    {
        public List<RepairOrder> Asked { get; } = [];

        public List<RepairOrder> Abandoned { get; } = [];

        public void Repair(RepairOrder order) => Asked.Add(order);

        public void Abandon(RepairOrder order) => Abandoned.Add(order);

        public void ToPeer(WitnessIndex? peer, IExchangeRequest frame, int bytes)
        {
        }

        public void TipToPeer(WitnessIndex? peer, StreamId stream, TipFrame tip)
        {
        }

        public void ToPublisher(PublicKey publisher, IPublishReply frame, int bytes)
        {
        }

        public void TipToPublisher(PublicKey publisher, StreamId stream, TipFrame tip)
        {
        }

        public void TopicRose(Topic topic)
        {
        }

        public void Fetch(FetchOrder order)
        {
        }

        public void Abandon(FetchOrder order)
        {
        }

        public void Answer(StoredSlotOffer offer)
        {
        }

        public void Log(string line)
        {
        }
    }
}
