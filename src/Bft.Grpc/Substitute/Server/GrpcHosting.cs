using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

#pragma warning disable IDE0130 // Namespaces are those of the original packages.
namespace Microsoft.Extensions.DependencyInjection
{
    /// <summary>Adds gRPC to a host.</summary>
    public static class GrpcServicesExtensions
    {
        public static IGrpcServerBuilder AddGrpc(this IServiceCollection services) => services.AddGrpc(static _ => { });

        public static IGrpcServerBuilder AddGrpc(this IServiceCollection services, Action<GrpcServiceOptions> configureOptions)
        {
            ArgumentNullException.ThrowIfNull(services);
            services.AddRouting();
            services.AddOptions<GrpcServiceOptions>().Configure(configureOptions);
            services.TryAddSingleton<UnknownMethods>();
            return new Builder(services);
        }

        private sealed record Builder(IServiceCollection Services) : IGrpcServerBuilder;
    }
}

namespace Microsoft.AspNetCore.Builder
{
    /// <summary>Adds gRPC services to a host's endpoints.</summary>
    public static class GrpcEndpointRouteBuilderExtensions
    {
        /// <summary>Serves the methods of a class that derives from a generated (or hand-written) service base.</summary>
        /// <remarks>The service comes from the call's service provider; one that is not registered is made for each call.</remarks>
        /// <exception cref="InvalidOperationException">AddGrpc was not called, or no base of the class has a <see cref="BindServiceMethodAttribute"/>.</exception>
        public static GrpcServiceEndpointConventionBuilder MapGrpcService<TService>(this IEndpointRouteBuilder builder)
            where TService : class
        {
            ArgumentNullException.ThrowIfNull(builder);
            UnknownMethods unknown = builder.ServiceProvider.GetService<UnknownMethods>()
                ?? throw new InvalidOperationException("Call AddGrpc on the host's services first.");
            EndpointBinder<TService> binder = new(builder);
            binder.BindAll();
            unknown.MapOnce(builder);
            return new GrpcServiceEndpointConventionBuilder(binder.Endpoints);
        }
    }

    /// <summary>Conventions for all methods of a service, such as authorisation.</summary>
    public sealed class GrpcServiceEndpointConventionBuilder : IEndpointConventionBuilder
    {
        private readonly IReadOnlyList<IEndpointConventionBuilder> _endpoints;

        internal GrpcServiceEndpointConventionBuilder(IReadOnlyList<IEndpointConventionBuilder> endpoints) => _endpoints = endpoints;

        public void Add(Action<EndpointBuilder> convention)
        {
            foreach (IEndpointConventionBuilder endpoint in _endpoints)
            {
                endpoint.Add(convention);
            }
        }

        public void Finally(Action<EndpointBuilder> finallyConvention)
        {
            foreach (IEndpointConventionBuilder endpoint in _endpoints)
            {
                endpoint.Finally(finallyConvention);
            }
        }
    }
}

namespace Grpc.Core
{
    /// <summary>The HTTP side of a call.</summary>
    public static class ServerCallContextExtensions
    {
        /// <summary>The request that carries the call: its connection, its client certificate, its services.</summary>
        public static HttpContext GetHttpContext(this ServerCallContext serverCallContext) =>
            serverCallContext is HttpServerCallContext context ? context.Http : throw new InvalidOperationException("The call has no HTTP request.");
    }
}
