using System.Text;
using Bft.Crypto;
using Bft.Protocol.Model;

namespace Bft.Client;

/// <summary>Where a client keeps what: one folder per cluster, identity and topic, so that several may share a data directory.</summary>
internal static class DataFolders
{
    public static string JournalOf(string folder, ClusterId cluster, PublicKey identity, Topic topic) => Path.Combine(folder, "journal", NameOf(cluster, identity, topic.Name));

    public static string CursorOf(string folder, ClusterId cluster, PublicKey identity, Topic topic, string name) =>
        Path.Combine(folder, "cursors", NameOf(cluster, identity, topic.Name, name));

    private static string NameOf(params object[] parts) => Sha256.Hash(Encoding.UTF8.GetBytes(string.Join('\n', parts))).ToString()[..32];
}
