using System.Globalization;
using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bft.Bench.Floors;

/// <summary>A process in a witness's place in the transport floor: the same gRPC and TLS, and <see cref="DiscardService"/> behind it.</summary>
public static class DiscardParty
{
    /// <summary>The command that runs it; hidden.</summary>
    public const string Command = "bench-discard";

    // What a witness has by default (its EdgeLimits).
    private const int StreamWindowBytes = 1024 * 1024;
    private const int ConnectionWindowBytes = 2 * 1024 * 1024;
    private const int TransportBufferBytes = 256 * 1024;
    private const int ResponseBufferBytes = 512 * 1024;
    private const int BatchBytesMax = 64 * 1024 * 1024;

    /// <summary>Runs until cancelled.</summary>
    /// <param name="directory">A witness's: its TLS key.</param>
    /// <param name="listen">Where.</param>
    /// <param name="journal">A folder for what it writes.</param>
    /// <param name="flushes">Per batch that it is sent.</param>
    /// <param name="log">Is told when it serves.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task RunAsync(string directory, string listen, string journal, double flushes, TextWriter log, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(log);
        using X509Certificate2 certificate = X509Certificate2.CreateFromPemFile(Path.Combine(directory, "tls.pem"), Path.Combine(directory, "tls.key"));
        await using WebApplication app = Build(IPEndPoint.Parse(listen), certificate, new DiscardService(new BareJournal(journal, flushes)));
        await app.StartAsync(cancellationToken);
        await log.WriteLineAsync("discards and is ready to serve");
        await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await app.StopAsync(new CancellationToken(canceled: true));
    }

    /// <summary>How to start it.</summary>
    internal static IEnumerable<string> Arguments(string directory, string listen, string journal, double flushes) =>
        [Command, "--directory", directory, "--listen", listen, "--journal", journal, "--flushes", flushes.ToString("R", CultureInfo.InvariantCulture)];

    private static WebApplication Build(IPEndPoint listen, X509Certificate2 certificate, DiscardService service)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.MaxResponseBufferSize = ResponseBufferBytes;
            kestrel.Limits.Http2.InitialStreamWindowSize = StreamWindowBytes;
            kestrel.Limits.Http2.InitialConnectionWindowSize = ConnectionWindowBytes;
            kestrel.Listen(listen, options =>
            {
                options.Protocols = HttpProtocols.Http2;
                options.UseHttps(certificate, https => https.SslProtocols = SslProtocols.Tls13);
            });
        });
        builder.WebHost.UseSockets(sockets => sockets.MaxReadBufferSize = TransportBufferBytes);
        builder.Services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = BatchBytesMax);
        builder.Services.AddSingleton(service);
        WebApplication app = builder.Build();
        app.MapGrpcService<DiscardService>();
        return app;
    }
}
