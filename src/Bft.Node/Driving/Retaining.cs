using Bft.Configuration;
using Bft.Protocol.Model;
using Bft.Storage;

namespace Bft.Node;

/// <summary>S2: the policies of cluster.yaml as the journal takes them.</summary>
internal static class Retaining
{
    public static Func<Topic, RetentionPolicy> In(ClusterFile cluster) => topic => cluster.PolicyFor(topic) is { } policy
        ? new RetentionPolicy { Bytes = policy.RetainBytes, Age = policy.RetainAge, HistoryAge = policy.RetainHistoryAge }
        : RetentionPolicy.KeepAll;
}
