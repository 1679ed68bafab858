using Bft.Health;
using Grpc.Core;
using Grpc.Health.V1;
using Microsoft.Extensions.DependencyInjection;
using static Grpc.Health.V1.HealthCheckResponse.Types;
using HealthClient = Grpc.Health.V1.Health.HealthClient;

namespace Bft.Grpc.Tests.Health;

public sealed class HealthServiceTests : IAsyncLifetime
{
    private readonly HealthService _health = new();
    private EchoHost _host = null!;
    private HealthClient _client = null!;

    public async Task InitializeAsync()
    {
        _host = await EchoHost.StartAsync(services: services => services.AddGrpcHealth().AddSingleton(_health), map: app => app.MapGrpcHealth());
        _client = new HealthClient(_host.Channel());
    }

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Check_answers_what_the_host_set()
    {
        _health.SetStatus("", ServingStatus.Serving);
        _health.SetStatus("a", ServingStatus.NotServing);

        Assert.Equal(ServingStatus.Serving, (await _client.CheckAsync(new HealthCheckRequest())).Status);
        Assert.Equal(ServingStatus.NotServing, (await _client.CheckAsync(new HealthCheckRequest { Service = "a" })).Status);
        RpcException e = await EchoHost.FailureOf(_client.CheckAsync(new HealthCheckRequest { Service = "b" }).ResponseAsync);
        Assert.Equal(StatusCode.NotFound, e.StatusCode);
    }

    [Fact]
    public async Task Watch_tells_each_change_and_the_end()
    {
        using AsyncServerStreamingCall<HealthCheckResponse> call = _client.Watch(new HealthCheckRequest { Service = "a" });
        Assert.Equal(ServingStatus.ServiceUnknown, await Next(call));

        _health.SetStatus("a", ServingStatus.Serving);
        Assert.Equal(ServingStatus.Serving, await Next(call));

        _health.SetStatus("a", ServingStatus.Serving);
        _health.SetStatus("other", ServingStatus.NotServing);
        _health.SetStatus("a", ServingStatus.NotServing);
        Assert.Equal(ServingStatus.NotServing, await Next(call));

        _health.SetStatus("a", ServingStatus.Serving);
        Assert.Equal(ServingStatus.Serving, await Next(call));
        _health.OnStopping();
        Assert.Equal(ServingStatus.NotServing, await Next(call));
        Assert.Equal(StatusCode.Unavailable, (await EchoHost.FailureOf(call.ResponseStream.MoveNext())).StatusCode);
    }

    [Fact]
    public async Task A_stopping_host_does_not_wait_for_watchers()
    {
        _health.SetStatus("", ServingStatus.Serving);
        using AsyncServerStreamingCall<HealthCheckResponse> call = _client.Watch(new HealthCheckRequest());
        Assert.Equal(ServingStatus.Serving, await Next(call));

        Task stopped = _host.StopAsync();

        Assert.Equal(ServingStatus.NotServing, await Next(call));
        await stopped.WaitAsync(EchoHost.Patience);
    }

    private static async Task<ServingStatus> Next(AsyncServerStreamingCall<HealthCheckResponse> call)
    {
        Assert.True(await call.ResponseStream.MoveNext().WaitAsync(EchoHost.Patience));
        return call.ResponseStream.Current.Status;
    }
}
