using System.Globalization;
using Bft.Protocol.Verification;

namespace Bft.Cli.Clusters;

/// <summary>Where evidence that a command meets is kept: evidence/ beside the identity. The name follows from the fault, so that the same evidence is one file.</summary>
/// <param name="Path">Made when there is something to keep.</param>
internal sealed record EvidenceFolder(string Path)
{
    /// <summary>Keeps evidence and says where.</summary>
    public string Save(VerifiedEvidence evidence)
    {
        string offender = evidence.Witness is { } witness ? string.Create(CultureInfo.InvariantCulture, $"witness-{witness.Value}") : $"publisher-{evidence.Offender.ToString()[..8]}";
        string path = System.IO.Path.Combine(Path, $"{offender}-{evidence.Slot.Stream.ToString()[..8]}-{evidence.Slot.Sequence}.evidence");
        Directory.CreateDirectory(Path);
        File.WriteAllBytes(path, evidence.Evidence.Encode());
        return path;
    }
}
