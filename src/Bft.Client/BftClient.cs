using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;

namespace Bft.Client;

/// <summary>A cluster as one client sees it. Thread-safe; keep one per process and identity.</summary>
/// <remarks>
/// At each witness a publisher holds one session and a subscription one or two; a witness allows 32 per identity unless it is configured otherwise. Each witness is spoken to over two connections
/// (publishing, receiving), which are dialled with the first call and again whenever they break.
/// </remarks>
public sealed class BftClient : IAsyncDisposable
{
    private readonly BftClientOptions _options;
    private readonly Ed25519Signer? _ownKey;
    private readonly Session _session;
    private readonly WitnessConnection[] _connections;
    private readonly Lock _gate = new();
    private readonly HashSet<IAsyncDisposable> _open = []; // what this client's owner opened and did not dispose

    private BftClient(BftClientOptions options)
    {
        _options = options;
        _ownKey = options.LoadKey();
        ISigner identity = options.Identity ?? _ownKey!;
        _session = new Session(options.Cluster.Committee.Cluster, identity);
        _connections = [.. options.Cluster.Witnesses.Select(witness => new WitnessConnection(witness, options.Cluster.Limits, options.ConnectTimeout, Notify))];
    }

    public PublicKey Identity => _session.Client;

    public ClusterFile Cluster => _options.Cluster;

    private Committee Committee => _options.Cluster.Committee;

    /// <summary>Makes a client. Dials nothing yet: witnesses that cannot be reached are a matter of the calls.</summary>
    /// <exception cref="ArgumentException">An option is illegal.</exception>
    /// <exception cref="Bft.Storage.KeyFileException">The key file is missing, open to others, or malformed.</exception>
    /// <exception cref="CryptoLibraryException">libsodium is missing, or its verdicts are not those this project rests on.</exception>
    public static BftClient Connect(BftClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ThrowIfIllegal(options.WhyIllegal(), nameof(options));
        Ed25519.EnsureStrict();
        return new BftClient(options);
    }

    /// <summary>Opens a publisher: goes on with the journal's incarnation, or begins a new one.</summary>
    /// <exception cref="PublishRefusedException">This client's cluster.yaml does not let it publish there.</exception>
    /// <exception cref="Bft.Storage.DiskException">The journal's folder cannot be used.</exception>
    public Task<Publisher> OpenPublisherAsync(Topic topic, PublisherOptions? options = null, CancellationToken cancellationToken = default)
    {
        PublisherOptions chosen = options ?? PublisherOptions.Default;
        ThrowIfIllegal(chosen.WhyIllegal(), nameof(options));
        if (!Cluster.MayPublish(topic, Identity))
        {
            throw PublishRefusedException.Of(Cluster.HasPolicyFor(topic) ? RefusalReason.NotAllowed : RefusalReason.UnknownTopic, topic);
        }

        // The journal is read and checked on another thread.
        return Task.Run(() => Open(topic, chosen), cancellationToken);
    }

    /// <summary>Subscribes to a topic. Returns at once, except that "from latest" needs the tips of n − f witnesses first.</summary>
    /// <exception cref="SubscriptionException">This client may not read there, or its cursor is in use.</exception>
    /// <exception cref="Bft.Storage.DiskException">The cursor's folder cannot be used.</exception>
    public async Task<Subscription> SubscribeAsync(Topic topic, SubscriptionOptions? options = null, CancellationToken cancellationToken = default)
    {
        SubscriptionOptions chosen = options ?? SubscriptionOptions.Default;
        ThrowIfIllegal(chosen.WhyIllegal(), nameof(options));
        if (!Cluster.MayRead(topic, Identity))
        {
            throw new SubscriptionRefusedException(topic, Cluster.HasPolicyFor(topic)
                ? "cluster.yaml does not let this key read. Add it under topics in every witness's cluster.yaml."
                : "cluster.yaml has no policy for it. Add one under topics in every witness's cluster.yaml.");
        }

        CursorFile? cursor = chosen.CursorName is { } name ? await Task.Run(() => OpenCursor(topic, name), cancellationToken).ConfigureAwait(false) : null;
        try
        {
            return Keep(await Opening.SubscribeAsync(_connections, _session, Committee, topic, chosen, cursor, Notify, Forget, cancellationToken).ConfigureAwait(false));
        }
        catch
        {
            cursor?.Dispose();
            throw;
        }
    }

    /// <summary>Asks every witness how it is, at once.</summary>
    /// <returns>In the order of their index.</returns>
    public Task<WitnessHealth[]> GetStatusAsync(CancellationToken cancellationToken = default) =>
        Task.WhenAll(_connections.Select(connection => WitnessHealth.AskAsync(connection, _session, cancellationToken)));

    /// <summary>Asks every witness for the evidence that it holds (W10), at once.</summary>
    /// <returns>In the order of their index.</returns>
    public Task<WitnessEvidence[]> GetEvidenceAsync(CancellationToken cancellationToken = default) =>
        Task.WhenAll(_connections.Select(connection => WitnessEvidence.AskAsync(connection, _session, Cluster, cancellationToken)));

    /// <summary>Disposes what was opened and not disposed, then the connections.</summary>
    public async ValueTask DisposeAsync()
    {
        IAsyncDisposable[] open;
        lock (_gate)
        {
            open = [.. _open];
        }

        await Task.WhenAll(open.Select(one => one.DisposeAsync().AsTask())).ConfigureAwait(false);
        foreach (WitnessConnection connection in _connections)
        {
            connection.Dispose();
        }

        _ownKey?.Dispose();
    }

    private static void ThrowIfIllegal(string? reason, string name)
    {
        if (reason is not null)
        {
            throw new ArgumentException(reason, name);
        }
    }

    private Publisher Open(Topic topic, PublisherOptions options)
    {
        PublisherFolder? kept = options.KeepJournal && _options.DataFolder is { } folder
            ? PublisherFolder.TryOpen(DataFolders.JournalOf(folder, Committee.Cluster, Identity, topic), damage => Notify(new JournalTrouble(topic, damage)))
            : null;
        MemoryShare memory = _options.PublishMemory.Join();
        BatchFiller filler = new(Committee.Limits, options, memory);
        PublisherLoop loop = new(Committee, _session.Signer, topic, filler, kept?.Journal, Notify);
        loop.Links = [.. _connections.Select(connection => new PublisherLink(connection, _session, loop, new SendQueue(options.SendQueueBytesMax, memory), Notify))];
        return Keep(new Publisher(topic, options, filler, loop, kept, Forget));
    }

    private CursorFile OpenCursor(Topic topic, string name)
    {
        string folder = _options.DataFolder ?? throw new ArgumentException("A durable cursor needs a data directory: set BftClientOptions.DataDirectory.", nameof(name));
        return CursorFile.Open(DataFolders.CursorOf(folder, Committee.Cluster, Identity, topic, name), name, topic);
    }

    private T Keep<T>(T opened)
        where T : IAsyncDisposable
    {
        lock (_gate)
        {
            _open.Add(opened);
        }

        return opened;
    }

    private void Forget(IAsyncDisposable disposed)
    {
        lock (_gate)
        {
            _open.Remove(disposed);
        }
    }

    private void Notify(ClientNotice notice) => _options.OnNotice?.Invoke(notice);
}
