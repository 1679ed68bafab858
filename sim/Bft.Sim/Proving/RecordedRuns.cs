#if PLANTED
using System.Globalization;

namespace Bft.Sim;

/// <summary>For each planted bug a run that found it, kept with the source: it must still find it.</summary>
/// <remarks>A line each: bug, profile, seed, checker. <c>--prove --record FILE</c> writes them anew when a change of plans or messages made them pass.</remarks>
internal static class RecordedRuns
{
    private static readonly SortedDictionary<string, (RunRequest Run, string Checker)> All = Read();

    /// <summary>The run that found a bug, and who found it; null when none is kept.</summary>
    public static (RunRequest Run, string Checker)? Of(string bug) => All.TryGetValue(bug, out (RunRequest, string) found) ? found : null;

    public static void Write(string path, IEnumerable<BugProof> proofs) =>
        File.WriteAllLines(path, proofs.Where(proof => proof.Found is not null).Select(proof => string.Create(CultureInfo.InvariantCulture, $"{proof.Name} {proof.Found!.Profile} {proof.Found.Seed} {proof.Checker}")));

    private static SortedDictionary<string, (RunRequest Run, string Checker)> Read()
    {
        SortedDictionary<string, (RunRequest, string)> all = new(StringComparer.Ordinal);
        using Stream stream = typeof(RecordedRuns).Assembly.GetManifestResourceStream("recorded.txt")!;
        using StreamReader reader = new(stream);
        while (reader.ReadLine() is { } line)
        {
            string[] words = line.Split(' ');
            all.Add(words[0], (BugSearch.RequestOf(words[1], ulong.Parse(words[2], CultureInfo.InvariantCulture)), words[3]));
        }

        return all;
    }
}
#endif
