using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Bft.Bench.Running;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Storage;
using Bft.Wire;
using Bft.Wire.Frames;
using Bft.Wire.Services;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bft.Bench.Faults;

/// <summary>A witness of this cluster, with its keys, in the hands of an attacker: sends junk to publishers, receivers and peers at full rate, and dials again whenever it is thrown out.</summary>
public sealed class HostileParty
{
    /// <summary>The command that runs it; hidden.</summary>
    public const string Command = "bench-hostile";

    private readonly ClusterFile _cluster;
    private readonly Ed25519Signer _signer;
    private readonly Junk _junk;
    private readonly bool _isGarbled;

    private HostileParty(ClusterFile cluster, Ed25519Signer signer, Junk junk, bool isGarbled)
    {
        _cluster = cluster;
        _signer = signer;
        _junk = junk;
        _isGarbled = isGarbled;
    }

    /// <summary>Runs until cancelled.</summary>
    /// <param name="clusterFile">cluster.yaml.</param>
    /// <param name="directory">The witness's: its keys.</param>
    /// <param name="listen">Where.</param>
    /// <param name="run">A run of this witness that its peers know, as hexadecimal digits.</param>
    /// <param name="isGarbled">See <see cref="Junk.Make"/>.</param>
    /// <param name="log">Is told when it serves.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task RunAsync(string clusterFile, string directory, string listen, string run, bool isGarbled, TextWriter log, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(log);
        ClusterFile cluster = ClusterFile.Load(clusterFile);
        using SecretBytes seed = KeyFile.Load(Path.Combine(directory, "witness.key"));
        using Ed25519Signer signer = new(seed.Span);
        using X509Certificate2 certificate = X509Certificate2.CreateFromPemFile(Path.Combine(directory, "tls.pem"), Path.Combine(directory, "tls.key"));
        WitnessIndex self = cluster.Committee.IndexOf(signer.PublicKey) ?? throw new ArgumentException("The key is no witness's.", nameof(directory));
        Junk junk = Junk.Make(cluster, self, signer, new Run(ulong.Parse(run, NumberStyles.HexNumber, CultureInfo.InvariantCulture)), isGarbled);
        HostileParty party = new(cluster, signer, junk, isGarbled);
        await using WebApplication app = party.Build(IPEndPoint.Parse(listen), certificate);
        await app.StartAsync(cancellationToken);
        await log.WriteLineAsync("hostile and ready to serve");
        await Task.WhenAll(cluster.Witnesses.Where(witness => witness.Index != self).Select(witness => party.FloodAsync(witness, cancellationToken)));
        await app.StopAsync(CancellationToken.None);
    }

    /// <summary>How to start it in the odd witness's place.</summary>
    internal static IEnumerable<string> Arguments(BenchCluster cluster, Run run, bool isGarbled) =>
        [Command, "--cluster", cluster.OddClusterPath, "--directory", cluster.DirectoryOf(cluster.Odd), "--listen", cluster.OddListen, "--run", run.ToString(), .. isGarbled ? new[] { "--garbled" } : []];

    private WebApplication Build(IPEndPoint listen, X509Certificate2 certificate)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(listen, options =>
            {
                options.Protocols = HttpProtocols.Http2;
                options.UseHttps(certificate);
            });
        });
        builder.Services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = FrameLimits.MessageBytesMax(_cluster.Limits));
        builder.Services.AddSingleton(new HostileWitnessService(_junk, _isGarbled));
        builder.Services.AddSingleton(new HostilePeerService());
        WebApplication app = builder.Build();
        app.MapGrpcService<HostileWitnessService>();
        app.MapGrpcService<HostilePeerService>();
        return app;
    }

    private async Task FloodAsync(WitnessEntry peer, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await FloodOnceAsync(peer, cancellationToken);
            }
            catch (Exception error) when (error is RpcException or OperationCanceledException or InvalidOperationException or IOException)
            {
                // Thrown out: again, with a handshake that costs the peer as much as ours costs us.
            }
        }
    }

    private async Task FloodOnceAsync(WitnessEntry peer, CancellationToken cancellationToken)
    {
#pragma warning disable CA5359 // Whoever floods does not care whom.
        SslClientAuthenticationOptions anybody = new() { EnabledSslProtocols = SslProtocols.Tls13, RemoteCertificateValidationCallback = static (_, _, _, _) => true };
#pragma warning restore CA5359
        SocketsHttpHandler handler = new() { SslOptions = anybody };
        using GrpcChannel channel = GrpcChannel.ForAddress(peer.Address, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
        using AsyncDuplexStreamingCall<IExchangeRequest, IExchangeReply> call = new PeerClient(channel).Exchange(new CallOptions(cancellationToken: cancellationToken));
        if (await call.ResponseStream.MoveNext(cancellationToken) && call.ResponseStream.Current is IFrame and ChallengeFrame challenge)
        {
            HelloStatement hello = new(_cluster.Committee.Cluster, _signer.PublicKey, peer.Index, peer.Pin, challenge.Nonce);
            await call.RequestStream.WriteAsync(new HelloFrame(_signer.PublicKey, hello.Sign(_signer)), cancellationToken);
            await call.ResponseStream.MoveNext(cancellationToken);
            Task<bool> over = call.ResponseStream.MoveNext(cancellationToken);
            while (!over.IsCompleted)
            {
                await call.RequestStream.WriteAsync(_junk.Next(), cancellationToken);
            }
        }
    }
}
