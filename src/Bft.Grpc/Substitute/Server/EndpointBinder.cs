using System.Reflection;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Grpc.AspNetCore.Server;
/// <summary>Makes an endpoint of each method that a service's base class lists.</summary>
/// <remarks>Methods are bound as open delegates, so that each call may have an instance of its own.</remarks>
internal sealed class EndpointBinder<TService>(IEndpointRouteBuilder routes) : ServiceBinderBase
    where TService : class
{
    public List<IEndpointConventionBuilder> Endpoints { get; } = [];

    public void BindAll()
    {
        for (Type? type = typeof(TService); type is not null; type = type.BaseType)
        {
            if (type.GetCustomAttribute<BindServiceMethodAttribute>(inherit: false) is { } attribute)
            {
                MethodInfo bind = attribute.BindType.GetMethod(attribute.BindMethodName, BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static, [typeof(ServiceBinderBase), type])
                    ?? throw new InvalidOperationException($"{attribute.BindType} has no static method {attribute.BindMethodName}(ServiceBinderBase, {type.Name}).");
                bind.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [this, null], null);
                return;
            }
        }

        throw new InvalidOperationException($"No base class of {typeof(TService)} has a {nameof(BindServiceMethodAttribute)}.");
    }

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler)
    {
        Func<TService, TRequest, ServerCallContext, Task<TResponse>> invoke = Open<Func<TService, TRequest, ServerCallContext, Task<TResponse>>>(method);
        Map(method, async (service, call) => call.Respond(await invoke(service, await call.Requests.ReadSingleAsync(), call.Context)));
    }

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler)
    {
        Func<TService, IAsyncStreamReader<TRequest>, ServerCallContext, Task<TResponse>> invoke = Open<Func<TService, IAsyncStreamReader<TRequest>, ServerCallContext, Task<TResponse>>>(method);
        Map(method, async (service, call) => call.Respond(await invoke(service, call.Requests, call.Context)));
    }

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler)
    {
        Func<TService, TRequest, IServerStreamWriter<TResponse>, ServerCallContext, Task> invoke = Open<Func<TService, TRequest, IServerStreamWriter<TResponse>, ServerCallContext, Task>>(method);
        Map(method, async (service, call) => await invoke(service, await call.Requests.ReadSingleAsync(), call.Responses, call.Context));
    }

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler)
    {
        Func<TService, IAsyncStreamReader<TRequest>, IServerStreamWriter<TResponse>, ServerCallContext, Task> invoke = Open<Func<TService, IAsyncStreamReader<TRequest>, IServerStreamWriter<TResponse>, ServerCallContext, Task>>(method);
        Map(method, (service, call) => invoke(service, call.Requests, call.Responses, call.Context));
    }

    /// <summary>The service's method as a delegate whose first argument is the service.</summary>
    private static TDelegate Open<TDelegate>(IMethod method)
        where TDelegate : Delegate
    {
        Type[] parameters = [.. typeof(TDelegate).GetMethod("Invoke")!.GetParameters().Skip(1).Select(static parameter => parameter.ParameterType)];
        MethodInfo handler = typeof(TService).GetMethod(method.Name, BindingFlags.Public | BindingFlags.Instance, parameters)
            ?? throw new InvalidOperationException($"{typeof(TService)} has no public method {method.Name} for {method.FullName}.");
        return handler.CreateDelegate<TDelegate>();
    }

    private void Map<TRequest, TResponse>(Method<TRequest, TResponse> method, Func<TService, ServerCall<TRequest, TResponse>, Task> invoke)
        where TRequest : class
        where TResponse : class
    {
        CallHandler<TService, TRequest, TResponse> handler = new(method, invoke, routes.ServiceProvider);
        IEndpointConventionBuilder endpoint = routes.MapPost(method.FullName, (RequestDelegate)handler.HandleAsync);
        endpoint.Add(builder => builder.DisplayName = $"gRPC - {method.FullName}");
        Endpoints.Add(endpoint);
    }
}
