using System.Net;
using Bft.Grpc.Tests.Contracts;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bft.Grpc.Tests;

/// <summary>A server with the echo service on a free port of 127.0.0.1, and channels to it.</summary>
public sealed class EchoHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly List<GrpcChannel> _channels = [];

    private EchoHost(WebApplication app, EchoHandlers handlers)
    {
        _app = app;
        Handlers = handlers;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    /// <summary>Longer than any test takes on a slow machine; a test that waits so long has failed.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(20);

    public EchoHandlers Handlers { get; }

    public Uri Address { get; }

    public Echo.EchoClient Client => new(Channel());

    public static async Task<EchoHost> StartAsync(
        Action<GrpcServiceOptions>? options = null, Action<KestrelServerOptions>? kestrel = null, Action<ListenOptions>? listen = null, Action<WebApplication>? map = null, Action<IServiceCollection>? services = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        EchoHandlers handlers = new();
        builder.Services.AddSingleton(handlers);
        builder.Services.AddGrpc(options ?? (_ => { }));
        services?.Invoke(builder.Services);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrelOptions =>
        {
            kestrel?.Invoke(kestrelOptions);
            kestrelOptions.Listen(IPAddress.Loopback, 0, listenOptions =>
            {
                listenOptions.Protocols = HttpProtocols.Http2;
                listen?.Invoke(listenOptions);
            });
        });
        WebApplication app = builder.Build();
        app.MapGrpcService<EchoService>();
        map?.Invoke(app);
        await app.StartAsync();
        return new EchoHost(app, handlers);
    }

    public GrpcChannel Channel(GrpcChannelOptions? options = null)
    {
        GrpcChannel channel = GrpcChannel.ForAddress(Address, options ?? new GrpcChannelOptions());
        _channels.Add(channel);
        return channel;
    }

    /// <summary>The call must fail.</summary>
    public static async Task<RpcException> FailureOf(Task task) => await Assert.ThrowsAsync<RpcException>(() => task.WaitAsync(Patience));

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        _channels.ForEach(channel => channel.Dispose());
        using CancellationTokenSource now = new(TimeSpan.FromSeconds(1));
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }
}
