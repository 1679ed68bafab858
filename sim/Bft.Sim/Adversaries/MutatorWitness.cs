using Bft.Protocol.Membership;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>A witness whose messages are bent, repeated, kept back or late, one by one and by chance, each for its addressee alone.</summary>
internal class MutatorWitness : WitnessParty
{
    private const int RememberedMax = 64;
    private const int TrickleMilliseconds = 1_900;
    private const long Millisecond = 1_000_000;

    private const int AnswersEntity = 64; // and its own

    private readonly FrameBender _bender;
    private readonly FalseAnswers _answers;
    private readonly SortedDictionary<(ChannelKind Kind, bool ToClient), List<byte[]>> _sent = [];
    private int _ppm;
    private int _answersPpm = -1;

    public MutatorWitness(SimulatedCluster cluster, int id, string name, WitnessIndex index)
        : base(cluster, id, name, index)
    {
        Forge = new AckForge(cluster.SignerOf(index));
        _bender = new FrameBender(cluster.Committee, Forge);
        _answers = new FalseAnswers(cluster, cluster.SignerOf(index));
    }

    protected AckForge Forge { get; }

    /// <summary>A slow-loris: everything comes, each message just before one would give it up.</summary>
    public bool Trickles { get; set; }

    /// <summary>Of a million messages, so many are bent: a few, or most.</summary>
    protected virtual int BentPpm
    {
        get
        {
            if (_ppm == 0)
            {
                Lot lot = Cluster.Simulation.Choices.Next(ChoiceStream.Adversary, Id);
                _ppm = lot.Of([5_000, 30_000, 100_000, 500_000]);
            }

            return _ppm;
        }
    }

    /// <summary>So many of a million answers to correct publishers are false ones.</summary>
    private int AnswersPpm
    {
        get
        {
            if (_answersPpm < 0)
            {
                Lot lot = Cluster.Simulation.Choices.Next(ChoiceStream.Adversary, AnswersEntity + Id);
                _answersPpm = lot.Of([0, 20_000, 100_000, 500_000]);
            }

            return _answersPpm;
        }
    }

    protected override void Send(Connection connection, IFrame frame)
    {
        if (!Trickles && frame is AcksFrame or StandingFrame && connection.Kind == ChannelKind.Publish && connection.Server == this && Cluster.IsPublisher(connection.Client.Id)
            && Cluster.Simulation.Choices.Fault(ChoiceStream.Adversary, AnswersEntity + Id, AnswersPpm, out Lot lie) && _answers.Of(frame, Store, ref lie) is var (answer, told))
        {
            Note(connection, told, ref lie);
            base.Send(connection, answer);
            if (lie.Below(2) == 0)
            {
                return;
            }
        }

        if (!Trickles && frame is CertifiedFrame certified && connection.Kind == ChannelKind.Bodies && connection.Client is ReceiverParty reader
            && Cluster.Simulation.Choices.Fault(ChoiceStream.Adversary, AnswersEntity + Id, AnswersPpm, out Lot swap) && FalseAnswers.Of(certified, reader.Topic, Store, ref swap) is var (frames, served))
        {
            Note(connection, served, ref swap);
            foreach (IFrame one in frames)
            {
                base.Send(connection, one);
            }

            return;
        }

        (ChannelKind, bool) call = (connection.Kind, connection.Server == this);
        if (!_sent.TryGetValue(call, out List<byte[]>? sent))
        {
            sent = [];
            _sent.Add(call, sent);
        }

        byte[] bytes = Cluster.Network.BytesOf(frame);
        if (Trickles)
        {
            After(TrickleMilliseconds * Millisecond, () => Cluster.Network.Send(connection, this, bytes));
        }
        else if (Cluster.Simulation.Choices.Fault(ChoiceStream.Adversary, Id, BentPpm, out Lot lot))
        {
            Bend(connection, frame, bytes, sent, ref lot);
        }
        else
        {
            base.Send(connection, frame);
        }

        if (sent.Count < RememberedMax)
        {
            sent.Add(bytes);
        }
        else
        {
            sent[(int)(Cluster.Simulation.Events % RememberedMax)] = bytes;
        }
    }

    private void Bend(Connection connection, IFrame frame, byte[] bytes, List<byte[]> sent, ref Lot lot)
    {
        switch (lot.Below(12))
        {
            case 0:
                Note(connection, "says nothing", ref lot);
                break;
            case 1:
                Note(connection, "says it twice", ref lot);
                Cluster.Network.Send(connection, this, bytes);
                base.Send(connection, frame);
                break;
            case 2 when sent.Count > 0:
                Note(connection, "says something old", ref lot);
                Cluster.Network.Send(connection, this, lot.Of(sent));
                break;
            case 3:
                Note(connection, "says it late", ref lot);
                After(lot.Between(100, 1_900) * Millisecond, () => Cluster.Network.Send(connection, this, bytes));
                break;
            case 4:
                Note(connection, "says half of it", ref lot);
                Cluster.Network.Send(connection, this, bytes[..lot.Below(bytes.Length + 1)]);
                break;
            case 5:
                Note(connection, "says it with a byte behind", ref lot);
                Cluster.Network.Send(connection, this, [.. bytes, (byte)lot.Below(256)]);
                break;
            case 6:
                Note(connection, "says it with a bit flipped", ref lot);
                Cluster.Network.Send(connection, this, SmallLies.Flipped(bytes, ref lot));
                break;
            default:
                if (_bender.Bend(frame, ref lot) is var (bent, what))
                {
                    Note(connection, what, ref lot);
                    base.Send(connection, bent);
                    if (lot.Below(4) == 0)
                    {
                        // The truth first and then a lie, or the other way round.
                        Cluster.Network.Send(connection, this, bytes);
                    }
                }
                else
                {
                    base.Send(connection, frame);
                }

                break;
        }
    }

    private void Note(Connection connection, string what, ref Lot lot)
    {
        Cluster.Simulation.Choices.Record(lot.Id, $"{Name} {what} to {connection.Other(this).Name}");
        Cluster.Simulation.Note(TraceKind.Attack, Id, what, connection.Other(this).Id);
    }
}
