using Bft.Client;
using Bft.Protocol.Model;
using Bft.Wire.Frames;

namespace Bft.Cluster.Tests.Support;

/// <summary>How far each witness has stored each stream, as it says itself.</summary>
internal static class Levels
{
    /// <summary>Waits until each witness has stored, of every stream, what any of them had when this began.</summary>
    /// <param name="cluster">Of which.</param>
    /// <param name="of">Of these witnesses. Default: of all.</param>
    public static async Task ReachedAsync(ProcessCluster cluster, params int[] of)
    {
        await using BftClient client = cluster.Connect("reader");
        Dictionary<StreamId, Sequence> highest = [];
        await Wait.UntilAsync(
            async () =>
            {
                foreach (WitnessHealth health in await client.GetStatusAsync(ProcessCluster.Deadline))
                {
                    foreach (StreamStatus stream in health.Status?.Streams ?? [])
                    {
                        if (stream.Tip is { } tip && (!highest.TryGetValue(stream.Stream, out Sequence known) || known < tip))
                        {
                            highest[stream.Stream] = tip;
                        }
                    }
                }

                return highest.Count > 0;
            },
            () => "some witness has stored something");
        string lacking = "";
        await Wait.UntilAsync(
            async () =>
            {
                WitnessHealth[] now = await client.GetStatusAsync(ProcessCluster.Deadline);
                lacking = string.Join("; ", now.Where(health => of.Length == 0 || of.Contains(health.Witness.Value)).Select(health => health.Problem ?? Lacking(health.Status!, highest)).Where(words => words.Length > 0));
                return lacking.Length == 0;
            },
            () => $"all witnesses have stored what one had: {lacking}");
    }

    private static string Lacking(StatusFrame status, Dictionary<StreamId, Sequence> highest)
    {
        Dictionary<StreamId, Sequence?> tips = status.Streams.ToDictionary(stream => stream.Stream, stream => stream.Tip);
        return string.Join(", ", highest.Where(wanted => !(tips.GetValueOrDefault(wanted.Key) >= wanted.Value)).Select(wanted => $"{status.Witness} has {tips.GetValueOrDefault(wanted.Key)} of {wanted.Value}"));
    }
}
