using Bft.Protocol.Model;
using Bft.Storage;

namespace Bft.Node;

/// <summary>S2: the policies of cluster.yaml as the journal takes them, as it was read last.</summary>
internal static class Retaining
{
    public static Func<Topic, RetentionPolicy> In(NodeIdentity identity) => topic => identity.Cluster.PolicyFor(topic) is { } policy
        ? new RetentionPolicy { Bytes = policy.RetainBytes, Age = policy.RetainAge, HistoryAge = policy.RetainHistoryAge }
        : RetentionPolicy.KeepAll;
}
