using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Bft.Health;

/// <summary>Adds the health service to a host.</summary>
public static class HealthHosting
{
    /// <summary>Registers a <see cref="HealthService"/>, which the host then takes from its services to set statuses.</summary>
    public static IServiceCollection AddGrpcHealth(this IServiceCollection services) => services.AddSingleton<HealthService>();

    /// <summary>Serves grpc.health.v1; when the host stops, everything is reported as not serving.</summary>
    public static IEndpointConventionBuilder MapGrpcHealth(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        HealthService health = endpoints.ServiceProvider.GetRequiredService<HealthService>();
        endpoints.ServiceProvider.GetService<IHostApplicationLifetime>()?.ApplicationStopping.Register(health.OnStopping);
        return endpoints.MapGrpcService<HealthService>();
    }
}
