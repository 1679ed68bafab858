using System.Globalization;
using Bft.Configuration;

namespace Bft.Cli.Clusters;

/// <summary>Where things lie beside cluster.yaml, by convention.</summary>
/// <param name="ClusterFilePath">cluster.yaml.</param>
internal sealed record ClusterFolder(string ClusterFilePath)
{
    public const string ClusterFileName = "cluster.yaml";
    public const string ClusterVariable = "BFT_CLUSTER";
    public const string IdentityVariable = "BFT_IDENTITY";
    public const string TlsCertificateName = "tls.pem";
    public const string TlsKeyName = "tls.key";
    public const string DataName = "data";
    private const string IdentityFileName = "identity.key";

    public string Root { get; } = Path.GetDirectoryName(Path.GetFullPath(ClusterFilePath))!;

    public string Clients => Path.Combine(Root, "clients");

    /// <summary>The folder that --cluster or BFT_CLUSTER names.</summary>
    /// <exception cref="CommandException">Neither names one.</exception>
    public static ClusterFolder Of(Session session)
    {
        string? path = session.Get(Options.Cluster) ?? Variable(ClusterVariable);
        return path switch
        {
            null => throw new CommandException(ExitCode.Usage, "which cluster? Name its file with --cluster DIR/cluster.yaml or in BFT_CLUSTER; `bft init` makes one."),
            _ when Directory.Exists(path) => new ClusterFolder(Path.Combine(path, ClusterFileName)),
            _ => new ClusterFolder(path),
        };
    }

    /// <exception cref="ClusterFileException">It cannot be used.</exception>
    public ClusterFile Load() => ClusterFile.Load(ClusterFilePath);

    public string WitnessDirectory(int index) => Path.Combine(Root, string.Create(CultureInfo.InvariantCulture, $"witness-{index}"));

    public string WitnessKey(int index) => Path.Combine(WitnessDirectory(index), "witness.key");

    public string TlsCertificate(int index) => Path.Combine(WitnessDirectory(index), TlsCertificateName);

    public string TlsKey(int index) => Path.Combine(WitnessDirectory(index), TlsKeyName);

    public string ClientKey(string name) => Path.Combine(Clients, name, IdentityFileName);

    /// <summary>The identity.key that --identity or BFT_IDENTITY names, else the only one beside cluster.yaml.</summary>
    /// <exception cref="CommandException">There is none, or more than one.</exception>
    public string Identity(Session session)
    {
        if ((session.Get(Options.Identity) ?? Variable(IdentityVariable)) is { } named)
        {
            return File.Exists(named) ? named
                : Directory.Exists(named) ? Path.Combine(named, IdentityFileName)
                : !named.Contains('/', StringComparison.Ordinal) && File.Exists(ClientKey(named)) ? ClientKey(named)
                : throw new CommandException(ExitCode.Usage, $"there is no identity '{named}': neither such a file nor {ClientKey(named)}. {KnownIdentities()}");
        }

        string[] names = ClientNames();
        return names.Length == 1
            ? ClientKey(names[0])
            : throw new CommandException(ExitCode.Usage, $"which identity? {KnownIdentities()} Choose one with --identity NAME or FILE, or in BFT_IDENTITY.");
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private string[] ClientNames() => Directory.Exists(Clients)
        ? [.. Directory.EnumerateDirectories(Clients).Where(path => File.Exists(Path.Combine(path, IdentityFileName))).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)]
        : [];

    private string KnownIdentities() => ClientNames() switch
    {
        [] => $"There is none under {Clients}.",
        string[] names => $"Under {Clients} there is: {string.Join(", ", names)}.",
    };
}
