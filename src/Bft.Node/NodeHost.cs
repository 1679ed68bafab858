using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Health;
using Bft.Protocol.Model;
using Bft.Protocol.Roles;
using Bft.Protocol.Verification;
using Bft.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Bft.Node;

/// <summary>A witness process: puts the rooms together, runs them, stops them.</summary>
public static class NodeHost
{
    /// <summary>Runs a witness until the token fires, or until it must stop.</summary>
    /// <exception cref="NodeFailure">It did not start, or stopped by itself; with the exit code and what to do.</exception>
    public static async Task RunAsync(NodeOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        try
        {
            Ed25519.EnsureStrict();
            using NodeIdentity identity = NodeIdentity.Load(options);
            using DirectoryLock directory = DirectoryLock.TryTake(options.DataDirectory)
                ?? throw new NodeFailure(NodeExitCode.DataInUse, $"{options.DataDirectory} is used by another process. Two processes with one key would be a faulty witness; stop the other one.");
            await RunAsync(options with { Edge = options.Edge.With(identity.Cluster.Edge) }, identity, cancellationToken);
        }
        catch (Exception e)
        {
            throw NodeFailure.Of(e);
        }
    }

    private static async Task RunAsync(NodeOptions options, NodeIdentity identity, CancellationToken cancellationToken)
    {
        NodeLog log = new(options.Log, identity.Index);
        using NodeLifetime lifetime = new(log);
        BatchStore store = new();
        WitnessRole role = new(identity.Committee, identity.Index, identity.Signer, options.Limits);
        long begun = Stopwatch.GetTimestamp();
        JournalOptions journalOptions = new() { NewId = JournalId.FromRandom(RandomNumberGenerator.GetBytes(JournalId.Bytes)), SegmentBytes = options.Edge.JournalSegmentBytes };
        IDisk disk = options.Disk(options.DataDirectory);
        using WitnessJournal journal = WitnessJournal.Open(
            disk, journalOptions, identity.Committee, identity.Index, Ed25519.Instance, role, store, Retaining.In(identity));
        double replayed = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;

        CoreMailbox mailbox = new();
        ByteBudget input = new(options.Edge.InputBytesMax);
        PublisherGate gate = new(() => identity.Cluster, new AdmissionBound(options.Edge.AdmittedBytesMin, options.Edge.AdmittedBytesMax));
        PublisherCalls publishers = new();
        TopicSignals topics = new();
        PeerDialer dialer = new(identity, options.Edge, log);
        PeerLinks peers = new(identity, peer => new PeerLink(peer, dialer, options.Edge, mailbox, log));
        PeerFetches fetches = new(dialer, mailbox, input, options.Edge);
        using CatchUp catchUp = new(identity, dialer, fetches, mailbox, options.Edge, log, lifetime.Stopping);
        RepairFetches repairs = new(identity, store, dialer, fetches, mailbox, log, lifetime.Stopping);
        StoredOffers offers = new(new StoredAnswers(store, new BatchVerifier(identity.Committee.Cluster, identity.Committee.Limits, Ed25519.Instance)), publishers);
        WitnessDriver driver = new(role, journal, store, new NodeOutputs(publishers, peers, topics, catchUp, repairs, offers, log), identity.Index, identity.Committee.Size.Count);
        ScrubThread scrub = new(disk, journal.Journal, store, mailbox, Path.Combine(options.DataDirectory, "scrub"), options.ScrubBytesPerSecond, options.ScrubInterval);
        WitnessCore core = new(driver, mailbox);
        Run run = new(BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))));
        StatusReport status = new(identity, options.DataDirectory, run, store, driver, peers, lifetime);
        Lobby lobby = new(options.Edge, log);
        Sessions sessions = new(identity, options.Edge, lobby);
        await using WebApplication app = Edge.Build(
            identity,
            options.Edge,
            lobby,
            new WitnessService(identity, options.Edge, sessions, store, mailbox, gate, publishers, driver.HandOvers, topics, status, lifetime),
            new PeerService(identity, options.Edge, sessions, store, mailbox, input, peers, lifetime));

        HealthService health = app.Services.GetRequiredService<HealthService>();
        health.SetStatus("", ServingStatus.NotServing);
        using PosixSignalRegistration hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            Reload(options, identity, lifetime, lobby, log);
        });
        core.Start(run);
        Task background = Task.WhenAll(scrub.RunAsync(lifetime.Stopping), offers.RunAsync(mailbox, lifetime.Stopping), peers.RunAsync(lifetime.Stopping), lobby.RunAsync(lifetime.Stopping));
        try
        {
            await app.StartAsync(cancellationToken);
            health.SetStatus("", ServingStatus.Serving);
            log.Write($"ready on https://{identity.Listen}{(identity.Self.Socket is { } socket ? $" and, in plain text for those that its folder and group let in, on unix:{socket}" : "")} (cluster {identity.Committee.Cluster}, mark {journal.Journal.DurableMark}, replayed {store.StreamCount} streams in {replayed:0} ms{(journal.Journal.WasScanned ? ", all of it: both copies of the checkpoint are damaged" : "")})");
            await await Task.WhenAny(core.Ended, Task.Delay(Timeout.Infinite, cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            log.Write("stopping");
        }
        catch
        {
            lifetime.Fault();
            health.SetStatus("", ServingStatus.NotServing);
            throw;
        }
        finally
        {
            await lifetime.StopAsync();
            await core.StopAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await app.StopAsync(CancellationToken.None);
            await background.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        log.Write($"stopped at mark {journal.Journal.DurableMark}");
    }

    private static void Reload(NodeOptions options, NodeIdentity identity, NodeLifetime lifetime, Lobby lobby, NodeLog log)
    {
        try
        {
            EdgePolicy edge = identity.Cluster.Edge;
            identity.Reload(options);
            lobby.KeepOnly(NodeIdentity.PinOf(identity.Certificate));
            lifetime.EndCalls();
            log.Write($"read {options.ClusterFile} and the TLS certificate again: {identity.Cluster.Clients.Count} clients, {identity.Cluster.Topics.Count} policies; open calls end and come back{(identity.Cluster.Edge == edge ? "" : "; what edge says counts from the next start on")}");
        }
#pragma warning disable CA1031 // Whatever is wrong with the new files, the witness runs on with the old.
        catch (Exception error)
        {
            log.Write($"goes on with what it had: {NodeFailure.Of(error).Message}");
        }
#pragma warning restore CA1031
    }
}
