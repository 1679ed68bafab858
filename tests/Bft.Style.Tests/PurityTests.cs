using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Bft.Crypto;
using Bft.Protocol.Membership;

namespace Bft.Style.Tests;

/// <summary>Crypto and Protocol are functions of their inputs: no clock, chance, I/O or threads. Read from the compiled assemblies, since the analyzer sees neither signatures nor <c>lock</c>.</summary>
public sealed class PurityTests
{
    private static readonly string[] BannedNamespaces = ["System.IO", "System.Net", "System.Threading", "System.Timers"];

    private static readonly string[] BannedTypes =
    [
        "System.DateTime", "System.DateTimeOffset", "System.TimeProvider", "System.Diagnostics.Stopwatch", "System.Random", "System.Environment",
        "System.HashCode", "System.Console", "System.Security.Cryptography.RandomNumberGenerator",
    ];

    [Fact]
    public void The_protocol_uses_no_banned_type() => Assert.Empty(Banned(typeof(CommitteeSize).Assembly.Location));

    [Fact]
    public void Crypto_uses_no_banned_type()
    {
        // libsodium is loaded through a resolver and its secrets are freed by a SafeHandle: neither is I/O or concurrency of ours.
        Assert.Empty(Banned(typeof(Digest).Assembly.Location).Except(["System.Threading.Interlocked"]));
    }

    [Fact]
    public void The_ban_would_be_seen()
    {
        Assert.Contains("System.Threading.Tasks.Task", Banned(typeof(PurityTests).Assembly.Location));
        Assert.Equal(TaskStatus.RanToCompletion, Task.CompletedTask.Status);
    }

    private static List<string> Banned(string path)
    {
        using PEReader file = new(File.OpenRead(path));
        MetadataReader metadata = file.GetMetadataReader();
        List<string> banned = [];
        foreach (TypeReferenceHandle handle in metadata.TypeReferences)
        {
            TypeReference type = metadata.GetTypeReference(handle);
            string space = metadata.GetString(type.Namespace);
            string name = $"{space}.{metadata.GetString(type.Name)}";
            if (BannedTypes.Contains(name, StringComparer.Ordinal)
                || BannedNamespaces.Any(ban => space == ban || space.StartsWith(ban + ".", StringComparison.Ordinal)))
            {
                banned.Add(name);
            }
        }

        return banned;
    }
}
