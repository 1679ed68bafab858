namespace Bft.Bench.Planning;

/// <summary>How long a batch with so many messages occupies each stage: what <see cref="Plan"/> adds up, and <see cref="PlanSimulation"/> plays. Unit: seconds.</summary>
public sealed class BatchTimes
{
    private readonly StageCosts _costs;
    private readonly Deployment _deployment;
    private readonly double _messages;

    public BatchTimes(StageCosts costs, Deployment deployment, double messages)
    {
        (_costs, _deployment, _messages) = (costs, deployment, messages);
        Bytes = messages * deployment.BodyBytesPerMessage;
        int count = deployment.Witnesses.Count;
        double publisherPerBatch = costs.Publisher.PerBatch + (costs.Publisher.PerPeer * count);
        double witnessPerBatch = costs.Witness.PerBatch + (costs.Witness.PerPeer * (count - 1));
        PublisherAfter = publisherPerBatch * (1 - costs.BeforeShare);
        PublisherSend = (costs.Publisher.PerPeer * count * costs.BeforeShare) + (costs.SendPerByte * Bytes * count);
        PublisherBefore = costs.Publisher.Of(messages, Bytes, count) + (costs.SendPerByte * Bytes * count) - PublisherAfter;
        WitnessAfter = witnessPerBatch * (1 - costs.BeforeShare);
        WitnessBefore = costs.Witness.Of(messages, Bytes, count - 1) - WitnessAfter;
        Serve = costs.Serve.Of(messages, Bytes, 1);
        Receive = costs.Receiver.Of(messages, Bytes, count);
        Write = Bytes * costs.WritePerByte;
        Copy = deployment.Link.TransferSeconds((Bytes * costs.WireBytesPerByte) + costs.WireBytesPerPair);
        Talk = deployment.Link.TransferSeconds(costs.WireBytesPerPair);
    }

    /// <summary>Of the body. Unit: bytes.</summary>
    public double Bytes { get; }

    /// <summary>Collect, hash, sign, journal, send.</summary>
    public double PublisherBefore { get; }

    /// <summary>The part of it that other threads do for the one that makes batches.</summary>
    public double PublisherSend { get; }

    /// <summary>The part that one thread does, a batch after the other.</summary>
    public double PublisherSeal => PublisherBefore - PublisherSend;

    /// <summary>Verify acks, make the certificate.</summary>
    public double PublisherAfter { get; }

    /// <summary>Receive, verify, hash, journal, ack.</summary>
    public double WitnessBefore { get; }

    /// <summary>Verify acks, store the certificate, tell the tip.</summary>
    public double WitnessAfter { get; }

    /// <summary>Send to one receiver.</summary>
    public double Serve { get; }

    /// <summary>Receive, verify, read.</summary>
    public double Receive { get; }

    /// <summary>To write the body; a flush comes on top, once for all that a commit holds.</summary>
    public double Write { get; }

    /// <summary>M/B of a copy of the batch.</summary>
    public double Copy { get; }

    /// <summary>M/B of what two parties say of a batch besides.</summary>
    public double Talk { get; }

    /// <summary>A commit with this batch alone.</summary>
    public double Commit => _costs.Flush + Write;

    /// <summary>Processor time of all parties.</summary>
    public double Cpu => PublisherBefore + PublisherAfter + (_deployment.Witnesses.Count * (WitnessBefore + WitnessAfter)) + (_deployment.Receivers * (Serve + Receive));

    /// <summary>Each stage, and how long a batch keeps it from the next one.</summary>
    public IEnumerable<Stage> Stages()
    {
        int count = _deployment.Witnesses.Count;
        double cores = _deployment.Cores * _costs.ProcessorShare;
        (double toWitness, double toReceiver) = _deployment.HeldPerByte;
        if (_deployment.IsShared)
        {
            yield return Of("processors of the machine", Cpu / cores);
            yield return Of("disk of the machine", (count + 1) * Write);
        }
        else
        {
            int copies = _deployment.CopiesMax;
            yield return Of("publisher: processors", (PublisherBefore + PublisherAfter) / cores / _deployment.Publishers);
            yield return Of("publisher: journal", Write / _deployment.Publishers);
            yield return Of("publisher: link", count * Copy / _deployment.Publishers);
            yield return Of("witness: processors", (WitnessBefore + WitnessAfter + (copies * Serve)) / cores);
            yield return Of("witness: journal", Write);
            yield return Of("witness: link", Math.Max((copies * Copy) + ((count - 1) * Talk), Copy + ((count - 1) * Talk)));
            if (_deployment.Receivers > 0)
            {
                yield return Of("receiver: processors", Receive / cores);
                yield return Of("receiver: link", Copy);
            }
        }

        yield return Of("publisher: one thread", PublisherSeal / _deployment.Publishers);
        if (_deployment.Link.DelaySeconds > 0)
        {
            yield return Window("HTTP/2 window to a witness", Bytes * toWitness / _deployment.Publishers);
            yield return Window("HTTP/2 window to a receiver", _deployment.Receivers > 0 ? Bytes * toReceiver : 0);
            yield return Window("window of uncertified bytes (P4)", Certified() * Bytes / _deployment.WindowBytes(Bytes) / _deployment.Publishers);
        }

        Stage Of(string name, double seconds) => new(name, seconds, _messages);
        Stage Window(string name, double seconds) => new(name, seconds, _messages, IsWindow: true);
    }

    /// <summary>What a batch that is alone passes until it is certified.</summary>
    public IEnumerable<PathStep> PathToCertified()
    {
        int quorum = _deployment.Witnesses.Quorum;
        yield return new("publisher: collect, hash, sign", PublisherBefore, 0, 0);
        yield return new("publisher: journal", Commit, 0, 0);
        yield return new("to the witnesses", 0, quorum * Copy, _deployment.Link.DelaySeconds);
        yield return new("witness: verify, hash", WitnessBefore * Crowd, 0, 0);
        yield return new("witness: journal", Commit, 0, 0);
        yield return new("acks", 0, quorum * Talk, _deployment.Link.DelaySeconds);
        yield return new("publisher: certificate", PublisherAfter, 0, 0);
        yield return new("woken and waiting", _costs.CertifiedRest, 0, 0);
    }

    /// <summary>And until it is delivered.</summary>
    public IEnumerable<PathStep> PathToDelivered()
    {
        foreach (PathStep step in PathToCertified().Take(6))
        {
            yield return step;
        }

        yield return new("witness: certificate", (WitnessAfter * Crowd) + (_deployment.CopiesMax * Serve), 0, 0);
        yield return new("witness: journal", _costs.Flush, 0, 0);
        yield return new("to the receiver", 0, _deployment.CopiesMax * Copy, _deployment.Link.DelaySeconds);
        yield return new("receiver: verify, read", Receive, 0, 0);
        yield return new("woken and waiting", _costs.DeliveredRest, 0, 0);
    }

    public double Certified() => PathToCertified().Sum(step => step.Seconds);

    public double Delivered() => PathToDelivered().Sum(step => step.Seconds);

    /// <summary>A quorum works at the same time: on a shared machine as many as it has cores.</summary>
    private double Crowd => _deployment.IsShared ? Math.Max(1, _deployment.Witnesses.Quorum / _deployment.Cores) : 1;
}
