namespace Bft.Bench.Planning;

/// <summary>Splits the processor time of runs into what a batch, a byte and a message cost: three runs in each of which another of the three is most of it.</summary>
internal static class WorkFit
{
    private const int Rounds = 50;

    /// <param name="light">Small batches.</param>
    /// <param name="heavy">Full batches of large messages.</param>
    /// <param name="many">Full batches of small messages.</param>
    /// <param name="cpuOf">Processor seconds per second.</param>
    /// <remarks>Gauss and Seidel's way through three equations, so that none of the three falls below 0.</remarks>
    public static ProcessWork Of(Trial light, Trial heavy, Trial many, Func<Trial, double> cpuOf)
    {
        (double perBatch, double perByte, double perMessage) = (0, 0, 0);
        for (int round = 0; round < Rounds; round++)
        {
            perBatch = Math.Max(0, cpuOf(light) - (light.Bytes * perByte) - (light.Messages * perMessage)) / light.Batches;
            perByte = Math.Max(0, cpuOf(heavy) - (heavy.Batches * perBatch) - (heavy.Messages * perMessage)) / heavy.Bytes;
            perMessage = Math.Max(0, cpuOf(many) - (many.Batches * perBatch) - (many.Bytes * perByte)) / many.Messages;
        }

        return new ProcessWork(perBatch, 0, perByte, perMessage);
    }
}
