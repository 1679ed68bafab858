namespace Bft.Bench.Planning;

/// <summary>What a cluster will do at a rate, by formula: the slowest stage, the time of a message, queues, bytes.</summary>
/// <remarks>
/// Batches of the publishers' pipelines go round in a closed network of queues while there is something to send: mean value analysis (Reiser and Lavenberg, 1980) says how many batches per second come of that, so how large they are. When every message is
/// a batch of its own, or batches are full, the network is open: then each stage adds the mean wait of a queue with even service.
/// </remarks>
public sealed class Plan
{
    private const double SecondsPerDay = 86_400;

    private Plan(StageCosts costs, Deployment deployment, double? rate)
    {
        (Deployment, Full) = (deployment, new BatchTimes(costs, deployment, deployment.FullMessages));
        Slowest = Full.Stages().MinBy(stage => stage.Capacity);
        Rate = rate ?? Slowest.Capacity / 2;
        BatchMessages = Fill(costs);
        Times = new BatchTimes(costs, deployment, BatchMessages);
        Alone = new BatchTimes(costs, deployment, 1);
        BatchesPerSecond = Math.Min(Rate, Capacity) / BatchMessages;
        double certified = TimeInFlight();
        double stretch = deployment.IsShared ? certified / Times.Certified() : 1;
        FillSeconds = BatchMessages > 1 ? deployment.Publishers / BatchesPerSecond / 2 : 0;
        CertifiedSeconds = certified + FillSeconds;
        DeliveredSeconds = CertifiedSeconds + (Math.Max(0, Times.Delivered() - Times.Certified()) * stretch);

        int count = deployment.Witnesses.Count;
        double copy = (Times.Bytes * costs.WireBytesPerByte) + costs.WireBytesPerPair;
        PublisherEgress = BatchesPerSecond * count * copy / deployment.Publishers;
        WitnessEgress = BatchesPerSecond * (((double)deployment.Receivers / count * copy) + (count * costs.WireBytesPerPair));
        WitnessDisk = BatchesPerSecond * ((Times.Bytes * costs.DiskBytesPerByte) + costs.DiskBytesPerBatch);
    }

    public Deployment Deployment { get; }

    /// <summary>Offered. Unit: messages per second, of all publishers together.</summary>
    public double Rate { get; }

    /// <summary>With batches that are full.</summary>
    public BatchTimes Full { get; }

    /// <summary>With batches as they are at this rate.</summary>
    public BatchTimes Times { get; }

    /// <summary>With one message in a batch.</summary>
    public BatchTimes Alone { get; }

    /// <summary>The stage that sets the capacity.</summary>
    public Stage Slowest { get; }

    /// <summary>Unit: messages per second.</summary>
    public double Capacity => Slowest.Capacity;

    public bool Fits => Rate <= Capacity;

    /// <summary>What a queue grows by when the rate does not fit. Unit: messages per second.</summary>
    public double Growth => Math.Max(0, Rate - Capacity);

    /// <summary>Mean.</summary>
    public double BatchMessages { get; }

    public double BatchesPerSecond { get; }

    /// <summary>Mean wait of a message for its batch to leave.</summary>
    public double FillSeconds { get; }

    /// <summary>Mean, from when a message is due, while the rate fits. Unit: seconds.</summary>
    public double CertifiedSeconds { get; }

    /// <inheritdoc cref="CertifiedSeconds"/>
    public double DeliveredSeconds { get; }

    /// <summary>Of each publisher. Unit: bytes per second.</summary>
    public double PublisherEgress { get; }

    /// <summary>Of each witness, on average. Unit: bytes per second.</summary>
    public double WitnessEgress { get; }

    /// <summary>Of each witness. Unit: bytes per second.</summary>
    public double WitnessDisk { get; }

    /// <summary>On each witness's disk in the end, if anything is ever cut. Unit: bytes.</summary>
    public double? KeptBytes => (Deployment.RetainBytes, WitnessDisk * Deployment.RetainAge?.TotalSeconds) switch
    {
        ({ } bytes, { } aged) => Math.Min(bytes, aged),
        ({ } bytes, null) => bytes,
        (null, var aged) => aged,
    };

    /// <summary>Messages that publishers can hold before whoever sends has to wait (P4 and what waits for its turn).</summary>
    public double Room => Deployment.Publishers * (Deployment.WindowBytes(Full.Bytes) + (Bft.Client.PublisherOptions.Default.WaitingBatchesMax * Full.Bytes)) / Deployment.BodyBytesPerMessage;

    /// <param name="costs">Of the machines.</param>
    /// <param name="deployment">What is planned.</param>
    /// <param name="rate">Messages per second; null: half of what fits.</param>
    public static Plan Of(StageCosts costs, Deployment deployment, double? rate = null)
    {
        ArgumentNullException.ThrowIfNull(costs);
        ArgumentNullException.ThrowIfNull(deployment);
        return new Plan(costs, deployment, rate);
    }

    public static double PerDay(double perSecond) => perSecond * SecondsPerDay;

    /// <summary>Thirty days.</summary>
    public static double PerMonth(double perSecond) => perSecond * SecondsPerDay * 30;

    /// <summary>Messages sent and not certified, so long after a start: Little's law once it is steady, what does not fit before that.</summary>
    public double QueueAt(double seconds) => Math.Min(Rate * seconds, (Rate - Growth) * CertifiedSeconds) + (Growth * seconds);

    /// <summary>Batches at a stage, waiting or served: Little's law again.</summary>
    public double QueueOf(Stage stage)
    {
        double busy = Math.Min(BatchesPerSecond * stage.SecondsPerBatch, 1);
        return Network(Times) is var network && network.Batches < Deployment.Pipeline * (1 - 1e-9) && busy < 1 ? busy + (busy * busy / (2 * (1 - busy)))
            : network.Queues.GetValueOrDefault(stage.Name, busy);
    }

    /// <summary>The smallest batches with which the pipelines carry the rate.</summary>
    private double Fill(StageCosts costs)
    {
        double full = Deployment.FullMessages;
        (double few, double many) = (1, full);
        if (Carried(1) >= Rate)
        {
            return 1;
        }

        if (Carried(full) < Rate)
        {
            return full;
        }

        while (many - few > 1e-6 * many)
        {
            double middle = (few + many) / 2;
            (few, many) = Carried(middle) < Rate ? (middle, many) : (few, middle);
        }

        return many;

        double Carried(double messages) => messages * Circulate(new BatchTimes(costs, Deployment, messages)).PerSecond;
    }

    private double TimeInFlight()
    {
        double alone = Times.Certified();
        double open = alone + Times.Stages().Where(stage => !stage.IsWindow).Sum(stage => Wait(stage));
        double closed = Deployment.Pipeline / BatchesPerSecond;
        return BatchMessages <= 1 ? Math.Min(open, closed)
            : BatchMessages < Deployment.FullMessages ? closed
            : Math.Max(open, closed);
    }

    private double Wait(Stage stage)
    {
        double busy = Math.Min(BatchesPerSecond * stage.SecondsPerBatch, 0.99);
        return stage.SecondsPerBatch * busy / (2 * (1 - busy));
    }

    private (double Batches, Dictionary<string, double> Queues) Network(BatchTimes times)
    {
        (double perSecond, Dictionary<string, double> queues) = Circulate(times);
        return (Math.Min(Deployment.Pipeline, BatchesPerSecond / perSecond * Deployment.Pipeline), queues);
    }

    /// <summary>All pipelines full: batches per second, and how many are at each stage.</summary>
    private (double PerSecond, Dictionary<string, double> Queues) Circulate(BatchTimes times)
    {
        Stage[] stages = [.. times.Stages().Where(stage => !stage.IsWindow)];
        double elsewhere = Math.Max(0, times.Certified() - stages.Sum(stage => stage.SecondsPerBatch));
        double[] queues = new double[stages.Length];
        double perSecond = 0;
        for (int batches = 1; batches <= Deployment.Pipeline; batches++)
        {
            double[] stays = [.. stages.Zip(queues, (stage, queue) => stage.SecondsPerBatch * (1 + queue))];
            perSecond = batches / (elsewhere + stays.Sum());
            queues = [.. stays.Select(stay => stay * perSecond)];
        }

        return (perSecond, stages.Zip(queues).ToDictionary(pair => pair.First.Name, pair => pair.Second, StringComparer.Ordinal));
    }
}
