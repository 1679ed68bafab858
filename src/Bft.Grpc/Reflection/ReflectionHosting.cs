using Google.Protobuf.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bft.Reflection;

/// <summary>Adds the reflection service to a host.</summary>
public static class ReflectionHosting
{
    /// <summary>Registers the contracts that tools may ask for, besides those of reflection itself.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="files">The descriptors of generated code, for example <c>HealthReflection.Descriptor</c>; what they import comes along.</param>
    public static IServiceCollection AddGrpcReflection(this IServiceCollection services, params IEnumerable<FileDescriptor> files)
    {
        FileDescriptor[] all = [.. files, Grpc.Reflection.V1.ReflectionReflection.Descriptor, Grpc.Reflection.V1Alpha.ReflectionReflection.Descriptor];
        services.AddSingleton(new DescriptorSet(all));
        services.AddSingleton<ReflectionService>();
        services.AddSingleton<ReflectionAlphaService>();
        return services;
    }

    /// <summary>Serves grpc.reflection.v1 and v1alpha.</summary>
    public static void MapGrpcReflection(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        endpoints.MapGrpcService<ReflectionService>();
        endpoints.MapGrpcService<ReflectionAlphaService>();
    }
}
