using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bft.Bench.Planning;

/// <summary>What each stage of a message's way costs on one machine: measured by <see cref="Calibration"/>, or read from a file that a calibration wrote. Unit: seconds, where no other is named.</summary>
public sealed record StageCosts
{
    private static readonly JsonSerializerOptions Format = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        WriteIndented = true,
    };

    /// <summary>Where they were measured; for people.</summary>
    public required string Machine { get; init; }

    /// <summary>One hash pass.</summary>
    public required double HashPerByte { get; init; }

    public required double Sign { get; init; }

    public required double Verify { get; init; }

    /// <summary>Until a small commit is durable: time, hardly any of it the processor's.</summary>
    public required double Flush { get; init; }

    /// <summary>What each byte of a commit adds to that.</summary>
    public required double WritePerByte { get; init; }

    /// <summary>Processor time of both ends, by gRPC over TLS on the loopback.</summary>
    public required double CrossPerFrame { get; init; }

    /// <inheritdoc cref="CrossPerFrame"/>
    public required double CrossPerByte { get; init; }

    /// <summary>All of a publisher's process. <see cref="ProcessWork.PerByte"/> without what is sent: each copy adds <see cref="SendPerByte"/>.</summary>
    public required ProcessWork Publisher { get; init; }

    /// <summary>All of a witness's process but <see cref="Serve"/>.</summary>
    public required ProcessWork Witness { get; init; }

    /// <summary>A witness's process for each receiver that it serves.</summary>
    public required ProcessWork Serve { get; init; }

    /// <summary>All of a receiver's process.</summary>
    public required ProcessWork Receiver { get; init; }

    /// <summary>Share of the work per batch that is done before the batch is certified. From 0 to 1.</summary>
    public required double BeforeShare { get; init; }

    /// <summary>What a message that is alone waits beyond the stages, until it is certified: threads that are woken, mostly.</summary>
    public required double CertifiedRest { get; init; }

    /// <summary>The same until it is delivered.</summary>
    public required double DeliveredRest { get; init; }

    /// <summary>Share of the processors that a closed loop keeps busy. Above 0, at most 1.</summary>
    public required double ProcessorShare { get; init; }

    /// <summary>Sent by TCP for each byte of a body and copy. Unit: bytes.</summary>
    public required double WireBytesPerByte { get; init; }

    /// <summary>Sent by TCP for each batch, from one party to another: acks, certificates, tips. Unit: bytes.</summary>
    public required double WireBytesPerPair { get; init; }

    /// <summary>Written by a witness for each byte of a body. Unit: bytes.</summary>
    public required double DiskBytesPerByte { get; init; }

    /// <summary>Written by a witness for each batch. Unit: bytes.</summary>
    public required double DiskBytesPerBatch { get; init; }

    /// <summary>Of a publisher, for each byte of a body and witness: half of what a crossing costs, for the other end does the other half.</summary>
    [JsonIgnore]
    public double SendPerByte => CrossPerByte / 2;

    /// <exception cref="FormatException">The text is not what <see cref="ToJson"/> writes.</exception>
    public static StageCosts Parse(string json)
    {
        try
        {
            StageCosts costs = JsonSerializer.Deserialize<StageCosts>(json, Format) ?? throw new FormatException("it is empty.");
            return costs.WhyIllegal() is { } reason ? throw new FormatException(reason) : costs;
        }
        catch (JsonException error)
        {
            throw new FormatException(error.Message, error);
        }
    }

    public string ToJson() => JsonSerializer.Serialize(this, Format);

    /// <summary>As a sentence; null when they can be planned with.</summary>
    internal string? WhyIllegal()
    {
        double[] all =
        [
            HashPerByte, Sign, Verify, Flush, WritePerByte, CrossPerFrame, CrossPerByte, CertifiedRest, DeliveredRest, WireBytesPerPair, DiskBytesPerBatch,
            .. new[] { Publisher, Witness, Serve, Receiver }.SelectMany(work => new[] { work.PerBatch, work.PerPeer, work.PerByte, work.PerMessage }),
        ];
        return !all.All(cost => cost is >= 0 and < 1e6) ? "each cost is a number from 0 on."
            : BeforeShare is not (>= 0 and <= 1) ? "beforeShare is from 0 to 1."
            : ProcessorShare is not (> 0 and <= 1) ? "processorShare is above 0 and at most 1."
            : WireBytesPerByte is not (>= 1 and < 100) || DiskBytesPerByte is not (>= 1 and < 100) ? "a body's bytes cross and are written at least once: wireBytesPerByte and diskBytesPerByte are at least 1."
            : Witness.PerBatch <= 0 || Publisher.PerBatch <= 0 ? "a batch costs something: perBatch of publisher and witness is above 0."
            : null;
    }
}
