using Bft.Bench.Measuring;
using Bft.Client;

namespace Bft.Bench.Planning;

/// <summary>Batches one by one through queues, with the stages' costs as delays: what <see cref="Plan"/> says by formula, played. The same seed, the same result.</summary>
/// <remarks>A batch goes to every witness, is acked when its commit is flushed, certified by a quorum of acks, committed again with its certificate, and delivered when the receiver has it and f + 1 tips (R5). Jobs on processors and disks take between half and one and a half times what they cost.</remarks>
public sealed class PlanSimulation
{
    private const double SpreadMin = 0.5; // of a job's time; the mean is 1
    private const int PointsPerBatch = 10; // messages of a batch whose times are taken
    private const double Nanoseconds = 1e9;

    private readonly StageCosts _costs;
    private readonly Deployment _deployment;
    private readonly EventLine _line = new();
    private readonly double _rate;
    private readonly Random _random;
    private readonly Party[] _publishers;
    private readonly Party[] _witnesses;
    private readonly Party[] _receivers;
    private readonly BatchTimes _full;
    private readonly List<(double Seconds, double Messages)> _queue = [];
    private readonly Histogram _certified = new();
    private readonly Histogram _delivered = new();
    private double _warm;
    private double _certifiedMessages;
    private double _certifiedInAll;
    private double _sentInAll;
    private double _waited; // messages and seconds, of those certified
    private double _batches;

    private PlanSimulation(StageCosts costs, Deployment deployment, double rate, int seed)
    {
        (_costs, _deployment, _rate) = (costs, deployment, rate);
#pragma warning disable CA5394 // A model's noise, not a secret.
        _random = new Random(seed);
#pragma warning restore CA5394
        _full = new BatchTimes(costs, deployment, deployment.FullMessages);
        double cores = deployment.Cores * costs.ProcessorShare;
        Station? shared = deployment.IsShared ? new Station(_line, cores) : null;
        _publishers = Parties(deployment.Publishers);
        _witnesses = Parties(deployment.Witnesses.Count);
        _receivers = Parties(deployment.Receivers);

        Party[] Parties(int count) => [.. Enumerable.Range(0, count).Select(_ => new Party(shared ?? new Station(_line, cores), new Station(_line, 1, costs.Flush), new Station(_line, 1)))];
    }

    /// <summary>Certified. Unit: messages per second.</summary>
    public double PerSecond { get; private set; }

    /// <summary>Mean.</summary>
    public double BatchMessages => _batches > 0 ? _certifiedMessages / _batches : 0;

    /// <summary>Mean of what was certified. Unit: seconds.</summary>
    public double CertifiedMean => _certifiedMessages > 0 ? _waited / _certifiedMessages : 0;

    public double CertifiedP50 => _certified.Quantile(0.5) / Nanoseconds;

    public double CertifiedP99 => _certified.Quantile(0.99) / Nanoseconds;

    public double DeliveredP50 => _delivered.Quantile(0.5) / Nanoseconds;

    public double DeliveredP99 => _delivered.Quantile(0.99) / Nanoseconds;

    /// <summary>Messages sent and not certified, over time.</summary>
    public IReadOnlyList<(double Seconds, double Messages)> Queue => _queue;

    /// <summary>Batches at the processors of a publisher, of a witness and of a receiver, at a witness's disk and at a publisher's link; means.</summary>
    public (double Publisher, double Witness, double Receiver, double Journal, double Link) Stations { get; private set; }

    /// <param name="costs">Of the machines.</param>
    /// <param name="deployment">What is planned.</param>
    /// <param name="rate">Messages per second of all publishers; infinite for as fast as they are taken.</param>
    /// <param name="seconds">How long, in simulated time; the first fifth does not count.</param>
    /// <param name="seed">Chooses the noise.</param>
    public static PlanSimulation Run(StageCosts costs, Deployment deployment, double rate, double seconds, int seed)
    {
        ArgumentNullException.ThrowIfNull(costs);
        ArgumentNullException.ThrowIfNull(deployment);
        PlanSimulation simulation = new(costs, deployment, rate, seed);
        simulation.Run(seconds);
        return simulation;
    }

    private void Run(double seconds)
    {
        const int samples = 10;
        _warm = seconds / 5;
        for (int i = 0; i < _publishers.Length; i++)
        {
            Publisher publisher = new(this, _publishers[i], i);
            _line.After(0, publisher.Look);
        }

        for (int i = 1; i <= samples; i++)
        {
            double at = seconds * i / samples;
            _line.RunUntil(at);
            double sent = double.IsFinite(_rate) ? _rate * at : _sentInAll;
            _queue.Add((at, sent - _certifiedInAll));
        }

        PerSecond = _certifiedMessages / (seconds - _warm);
        Stations = (_publishers[0].Processors.Mean, _witnesses[0].Processors.Mean, _receivers.Length > 0 ? _receivers[0].Processors.Mean : 0, _witnesses[0].Disk.Mean, _publishers[0].Link.Mean);
    }

    private double Noisy(double seconds)
    {
#pragma warning disable CA5394 // See above.
        return seconds * (SpreadMin + _random.NextDouble());
#pragma warning restore CA5394
    }

    /// <summary>A machine, or its part of the one that all share.</summary>
    private sealed record Party(Station Processors, Station Disk, Station Link);

    /// <summary>Makes batches of what is due, and follows them.</summary>
    private sealed class Publisher(PlanSimulation simulation, Party party, int index)
    {
        private readonly double _rate = simulation._rate / simulation._publishers.Length;
        private double _sealed;
        private double _sealedAt;
        private int _inFlight;
        private double _bytesInFlight;
        private bool _isWaiting;
        private bool _isSealing;

        /// <summary>Seals what may leave now, and looks again when there is more.</summary>
        public void Look()
        {
            double due = double.IsFinite(_rate) ? (_rate * simulation._line.Now) - _sealed : double.PositiveInfinity;
            double full = simulation._deployment.FullMessages;
            bool hasRoom = _bytesInFlight == 0 || _bytesInFlight + simulation._full.Bytes <= simulation._deployment.WindowBytes(simulation._full.Bytes);
            double wanted = _inFlight < PublisherOptions.Default.PipelineDepth ? 1 : full;

            // Rounding must not make a message late by a look.
            if (due < wanted - 1e-6)
            {
                if (!_isWaiting)
                {
                    _isWaiting = true;
                    simulation._line.After((wanted - due) / _rate, () =>
                    {
                        _isWaiting = false;
                        Look();
                    });
                }

                return;
            }

            if (!hasRoom || _isSealing)
            {
                return; // what is certified, or sealed, looks again
            }

            double messages = Math.Min(full, Math.Max(1, Math.Floor(due + 1e-6)));
            new Batch(simulation, party, index, messages, FirstDue(), LastDue(messages)).Begin(this);
            _sealed += messages;
            simulation._sentInAll += messages;
            Look();
        }

        public void Began(Batch batch)
        {
            _isSealing = true; // one thread
            _inFlight++;
            _bytesInFlight += batch.Bytes;
        }

        public void Sealed()
        {
            _isSealing = false;
            Look();
        }

        public void Certified(Batch batch)
        {
            _inFlight--;
            _bytesInFlight -= batch.Bytes;
            Look();
        }

        private double FirstDue() => double.IsFinite(_rate) ? (_sealed + 1) / _rate : _sealedAt;

        private double LastDue(double messages) => double.IsFinite(_rate) ? (_sealed + messages) / _rate : _sealedAt = simulation._line.Now;
    }

    /// <summary>One on its way.</summary>
    private sealed class Batch(PlanSimulation simulation, Party publisher, int index, double messages, double firstDue, double lastDue)
    {
        private readonly BatchTimes _times = new(simulation._costs, simulation._deployment, messages);
        private readonly double _delay = simulation._deployment.Link.DelaySeconds;
        private readonly int _quorum = simulation._deployment.Witnesses.Quorum;
        private readonly int _count = simulation._witnesses.Length;
        private readonly int[] _acks = new int[simulation._witnesses.Length];
        private readonly int[] _tips = new int[simulation._receivers.Length];
        private readonly bool[] _arrived = new bool[simulation._receivers.Length];
        private int _acksAtPublisher;

        public double Bytes => _times.Bytes;

        public void Begin(Publisher owner)
        {
            owner.Began(this);
            publisher.Processors.Do(simulation.Noisy(_times.PublisherSeal), () =>
            {
                owner.Sealed();
                publisher.Disk.Do(simulation.Noisy(_times.Write), () => publisher.Processors.Do(simulation.Noisy(_times.PublisherSend), () =>
                {
                    for (int i = 0; i < _count; i++)
                    {
                        int witness = (i + index) % _count;
                        publisher.Link.Do(_times.Copy, () => simulation._line.After(_delay, () => Arrive(witness, owner)));
                    }
                }));
            });
        }

        private void Arrive(int witness, Publisher owner)
        {
            Party party = simulation._witnesses[witness];
            party.Processors.Do(simulation.Noisy(_times.WitnessBefore), () => party.Disk.Do(simulation.Noisy(_times.Write), () =>
            {
                simulation._line.After(_delay + _times.Talk, () => AckToPublisher(owner));
                for (int i = 0; i < _count; i++)
                {
                    int peer = i;
                    simulation._line.After(peer == witness ? 0 : _delay + _times.Talk, () => AckToPeer(peer));
                }
            }));
        }

        private void AckToPublisher(Publisher owner)
        {
            if (++_acksAtPublisher != _quorum)
            {
                return;
            }

            publisher.Processors.Do(simulation.Noisy(_times.PublisherAfter), () => simulation._line.After(simulation._costs.CertifiedRest, () =>
            {
                owner.Certified(this);
                simulation._certifiedInAll += messages;
                if (simulation._line.Now >= simulation._warm)
                {
                    simulation._batches++;
                    simulation._certifiedMessages += messages;
                    simulation._waited += messages * (simulation._line.Now - ((firstDue + lastDue) / 2));
                    Record(simulation._certified);
                }
            }));
        }

        private void AckToPeer(int witness)
        {
            if (++_acks[witness] != _quorum)
            {
                return;
            }

            Party party = simulation._witnesses[witness];
            party.Processors.Do(simulation.Noisy(_times.WitnessAfter), () => party.Disk.Do(0, () =>
            {
                for (int i = 0; i < _tips.Length; i++)
                {
                    int receiver = i;
                    simulation._line.After(_delay + _times.Talk, () => Tip(receiver));
                    if (receiver % _count == witness)
                    {
                        party.Processors.Do(simulation.Noisy(_times.Serve), () => party.Link.Do(_times.Copy, () => simulation._line.After(_delay, () =>
                        {
                            _arrived[receiver] = true;
                            Deliver(receiver);
                        })));
                    }
                }
            }));
        }

        private void Tip(int receiver)
        {
            _tips[receiver]++;
            Deliver(receiver);
        }

        /// <summary>R5.</summary>
        private void Deliver(int receiver)
        {
            if (!_arrived[receiver] || _tips[receiver] < simulation._deployment.Witnesses.OneCorrect)
            {
                return;
            }

            _arrived[receiver] = false; // once
            simulation._receivers[receiver].Processors.Do(simulation.Noisy(_times.Receive), () => simulation._line.After(simulation._costs.DeliveredRest, () =>
            {
                if (receiver == 0 && simulation._line.Now >= simulation._warm)
                {
                    Record(simulation._delivered);
                }
            }));
        }

        private void Record(Histogram histogram)
        {
            for (int i = 0; i < PointsPerBatch; i++)
            {
                double due = firstDue + ((lastDue - firstDue) * i / (PointsPerBatch - 1));
                histogram.Record((long)((simulation._line.Now - due) * Nanoseconds), (long)Math.Ceiling(messages / PointsPerBatch));
            }
        }
    }
}
