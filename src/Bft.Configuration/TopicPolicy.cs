using Bft.Crypto;
using Bft.Protocol.Model;

namespace Bft.Configuration;

/// <summary>Who may publish and who may read in the topics that a pattern covers.</summary>
/// <param name="Pattern">A topic's name, or the beginning of names followed by <c>*</c>; <c>*</c> alone covers all.</param>
/// <param name="Publishers">Keys that may publish.</param>
/// <param name="Readers">Keys that may read.</param>
public sealed record TopicPolicy(string Pattern, IReadOnlySet<PublicKey> Publishers, IReadOnlySet<PublicKey> Readers)
{
    /// <summary>S2: most body bytes of certified batches that a witness keeps of a topic; the oldest go first. <value>Default: null, no limit.</value></summary>
    public long? RetainBytes { get; init; }

    /// <summary>S2: how long a witness keeps a certified body. <value>Default: null, for ever.</value></summary>
    public TimeSpan? RetainAge { get; init; }

    /// <summary>S2: how long a witness keeps statements and certificates, also of bodies that it has cut; at least <see cref="RetainAge"/>. <value>Default: null, for ever.</value></summary>
    public TimeSpan? RetainHistoryAge { get; init; }

    /// <summary>How well the pattern fits: longer is better, a whole name best; below 0 when it does not cover the topic.</summary>
    internal int FitOf(Topic topic) =>
        Pattern.EndsWith('*') ? (topic.Name.StartsWith(Pattern.AsSpan(0, Pattern.Length - 1), StringComparison.Ordinal) ? Pattern.Length - 1 : -1)
        : string.Equals(Pattern, topic.Name, StringComparison.Ordinal) ? int.MaxValue
        : -1;
}
